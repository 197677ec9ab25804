"""The paths of the catalogue's pages."""

from django.urls import path

from products_app.pages import catalogue

SHOP = [
    path("", catalogue.front_page, name="front"),
    path("products/<str:product_id>/", catalogue.product_page, name="product"),
]
