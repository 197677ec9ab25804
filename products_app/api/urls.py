"""Paths under `/api/v1/products/`."""

from django.urls import path

from products_app.api.catalogue_table import ExportView, ImportView
from products_app.api.stock_work import AdjustView, ReceiveView
from products_app.api.views import ProductListView, ProductView, ReleaseView, ReserveView

urlpatterns = [
    path("", ProductListView.as_view(), name="product-list"),
    path("export/", ExportView.as_view(), name="catalogue-export"),
    path("import/", ImportView.as_view(), name="catalogue-import"),
    path("<str:product_id>/", ProductView.as_view(), name="product"),
    path("<str:product_id>/reserve/", ReserveView.as_view(), name="product-reserve"),
    path("<str:product_id>/release/", ReleaseView.as_view(), name="product-release"),
    path("<str:product_id>/receive/", ReceiveView.as_view(), name="product-receive"),
    path("<str:product_id>/adjust/", AdjustView.as_view(), name="product-adjust"),
]
