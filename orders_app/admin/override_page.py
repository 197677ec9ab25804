"""The page on which staff let orders go on without their stock or payment, with a reason."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from orders_app.models import Order
from orders_app.models.order import OVERRIDE_CHECKS
from orders_app.state_machine import NEEDS_STOCK_AND_PAYMENT, OrderStatus

CHANGE_ORDER = "orders_app.change_order"
MAX_ORDERS = 100


class OverrideForm(forms.Form):
    """Why the orders go on; the history of each keeps it."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


class OverrideRequest:
    """The orders of the page, and the status to which they shall come."""

    def __init__(self, orders: Sequence[Order], status: OrderStatus) -> None:
        self.orders = orders
        self.status = status

    @property
    def url(self) -> str:
        """The address of the page."""
        query = {"status": int(self.status), "order": [str(order.pk) for order in self.orders]}
        return f"{reverse('admin:orders_app_order_override')}?{urlencode(query, doseq=True)}"

    @property
    def context(self) -> dict[str, Any]:
        """What the page shows."""
        return {"orders": self.orders, "status": self.status.label}


def read_override(request: HttpRequest) -> OverrideRequest:
    """The orders and status that the address names.

    Raises PermissionDenied for users without the permissions, and Http404 where the address names none.
    """
    if not request.user.has_perms([CHANGE_ORDER, OVERRIDE_CHECKS]):
        raise PermissionDenied
    status = _status(request.GET)
    orders = list(Order.objects.filter(pk__in=_ids(request.GET)).order_by("pk"))
    if not orders or status not in NEEDS_STOCK_AND_PAYMENT:
        raise Http404("There is nothing to override.")
    return OverrideRequest(orders, status)


def _status(query: QueryDict) -> OrderStatus:
    try:
        return OrderStatus(int(query.get("status", "")))
    except ValueError as error:
        raise Http404("There is no such status.") from error


def _ids(query: QueryDict) -> list[UUID]:
    try:
        return [UUID(order_id) for order_id in query.getlist("order")[:MAX_ORDERS]]
    except ValueError as error:
        raise Http404("There is no such order.") from error
