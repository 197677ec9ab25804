"""The orders of a customer, newest first, with filters and search."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from msgspec import Struct

from orders_app.api.access import user_id
from orders_app.api.filters import OrderFilters
from orders_app.document import OrderDocument
from orders_app.models import Order
from orders_app.models.rows import document_of
from orders_app.pages.orders_choices import is_payment_due
from orders_app.pages.orders_words import lines_in_short, situation_of
from orders_app.selectors import OPEN, orders_of
from web.pages import signed_in_page
from web.pagination import page_or_404

ORDERS_ON_A_PAGE = 20

TABS: tuple[tuple[str, Promise], ...] = (
    ("", gettext_lazy("All")),
    (",".join(map(str, sorted(OPEN))), gettext_lazy("Open")),
    ("3", gettext_lazy("Shipped")),
    ("4", gettext_lazy("Delivered")),
    ("5", gettext_lazy("Cancelled")),
)
"""The values of `status`, as the API has them, that are a tab of their own."""


class ListedOrder(Struct, frozen=True):
    """An order of the list: how it is, what was bought, and whether it waits for its customer to pay."""

    order: OrderDocument
    situation: str
    lines: str
    is_payment_due: bool


@signed_in_page
def order_list(request: HttpRequest) -> HttpResponse:
    """The orders of the customer. The parameters are those of the API's list; 400 for a wrong one."""
    filters = OrderFilters(request.GET, queryset=orders_of(user_id(request.user)))
    context: dict[str, Any] = {
        "page": None,
        "form": filters.form,
        "tabs": TABS,
        "status": request.GET.get("status", ""),
        "search": request.GET.get("search", ""),
    }
    if not filters.is_valid():
        return render(request, "orders_app/orders.html", context, status=HTTPStatus.BAD_REQUEST)
    page = page_or_404(filters.qs, request.GET.get("page") or 1, ORDERS_ON_A_PAGE)
    listed = [_listed(order) for order in page]
    return render(request, "orders_app/orders.html", context | {"page": page, "listed": listed})


def _listed(order: Order) -> ListedOrder:
    document = document_of(order)
    return ListedOrder(document, situation_of(document), lines_in_short(document), is_payment_due(document))
