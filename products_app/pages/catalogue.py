"""The front door, with search and filters, and the page of a product."""

from http import HTTPStatus
from typing import NamedTuple
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from products_app.documents.reading import Product
from products_app.pages.drawings import Picture, picture_of
from products_app.pages.filters import CatalogueFilters
from products_app.selectors import find_categories, find_products, get_product
from web.pages import public_page
from web.pagination import page_or_404

PRODUCTS_ON_A_PAGE = 24
CATEGORIES_SHOWN = 30
FEW_PIECES = 5


class ShownProduct(NamedTuple):
    """A product as a page shows it."""

    product: Product
    picture: Picture

    @property
    def is_scarce(self) -> bool:
        """Whether customers are told how few pieces are left."""
        return self.product.in_stock and (self.product.low_stock or self.product.stock <= FEW_PIECES)


def shown(product: Product) -> ShownProduct:
    """The product with its picture."""
    return ShownProduct(product, picture_of(product))


@require_safe
@public_page
def front_page(request: HttpRequest) -> HttpResponse:
    """The shop: the products that the filters leave, in pages. 400 for filters that cannot be read."""
    filters = CatalogueFilters(request.GET)
    is_sound = filters.is_valid()
    found = find_products(include_inactive=False, **filters.criteria)
    page = page_or_404(found, request.GET.get("page") or 1, PRODUCTS_ON_A_PAGE)
    context = {
        "filters": filters,
        "criteria": filters.criteria,
        "is_narrowed": bool(filters.errors) or filters.criteria.keys() - {"search", "category"},
        "page": page,
        "products": [shown(product) for product in page],
        "categories": find_categories(CATEGORIES_SHOWN),
        "currency": settings.CURRENCY,
        "is_demo": settings.DEMO,
        "inbox_url": settings.INBOX_URL,
    }
    status = HTTPStatus.OK if is_sound else HTTPStatus.BAD_REQUEST
    return render(request, "shop/front.html", context, status=status)


@require_safe
@public_page
def product_page(request: HttpRequest, product_id: str) -> HttpResponse:
    """One product, with a form that puts it into the cart."""
    product = get_product(product_id=product_id, include_inactive=False)
    context = {"shown": shown(product), "currency": settings.CURRENCY, "form_key": uuid4().hex}
    return render(request, "shop/product.html", context)
