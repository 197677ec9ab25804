"""The orders that hold pieces of a product, in the admin.

Here, because the pages of products know no orders, and orders have no pages of products.
"""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from orders_app.holds import HoldsOf
from products_app.admin.page import answering_refusals, page_of, show
from products_app.models import Product
from products_app.selectors import get_product
from products_app.stock_selectors import stock_counts_of

HOLDS_ON_A_PAGE = 50


def show_holds(request: HttpRequest, product_id: str) -> HttpResponse:
    """The orders that hold pieces of the product and are not delivered yet, newest first."""
    return _show_holds(admin.site.get_model_admin(Product), request, product_id)


@answering_refusals
def _show_holds(product_admin: ModelAdmin, request: HttpRequest, product_id: str) -> HttpResponse:
    if not product_admin.has_view_permission(request):
        raise PermissionDenied
    product = get_product(product_id=product_id, include_inactive=True)
    context = {
        "title": product.name,
        "product": product,
        "counts": stock_counts_of(product),
        "tab": "holds",
        "page": page_of(HoldsOf(product.id), request, HOLDS_ON_A_PAGE),
        "may_see_orders": request.user.has_perm("orders_app.view_order"),
    }
    return show(product_admin, request, "holds.html", context)
