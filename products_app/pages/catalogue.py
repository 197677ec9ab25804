"""The front door, with search and filters, and the page of a product."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from products_app.selectors import find_products, get_product
from web.pages import public_page
from web.pagination import BoundedPaginator

PRODUCTS_ON_A_PAGE = 24


@public_page
def front_page(request: HttpRequest) -> HttpResponse:
    """The shop."""
    found = find_products(include_inactive=False)
    page = BoundedPaginator(cast("Any", found), PRODUCTS_ON_A_PAGE).page(1)
    return render(request, "shop/front.html", {"page": page, "currency": settings.CURRENCY})


@public_page
def product_page(request: HttpRequest, product_id: str) -> HttpResponse:
    """One product."""
    product = get_product(product_id=product_id, include_inactive=False)
    return render(request, "shop/product.html", {"product": product, "currency": settings.CURRENCY})
