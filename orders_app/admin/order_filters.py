"""The lists of orders that wait for something, each a filter of the list of orders and a tab above it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from orders_app.board_figures import ORDERS_THAT_WAIT, Wait
from orders_app.models import Order
from web.bounded_count import Count, bounded_count

MAX_COUNTED_WAITING = 1_000


class WaitingList(Struct, frozen=True):
    """The orders that wait for one thing; `title` is what somebody does about it."""

    title: Promise
    condition: Q

    def orders(self, orders: QuerySet[Order]) -> QuerySet[Order]:
        """Those of these orders that wait for it."""
        return orders.filter(self.condition)

    def count(self) -> Count:
        """How many orders wait for it, exact up to MAX_COUNTED_WAITING."""
        return bounded_count(self.orders(Order.objects.all()), MAX_COUNTED_WAITING)


WAITING_LISTS: Mapping[str, WaitingList] = {
    wait.value: WaitingList(title, ORDERS_THAT_WAIT[wait])
    for wait, title in {
        Wait.SHIP: _("To ship"),
        Wait.DELIVERY: _("On the way"),
        Wait.STOCK: _("Waiting for stock"),
        Wait.PAYMENT: _("Waiting for payment"),
        Wait.FAILED: _("Payment failed"),
        Wait.CHARGE: _("Payment under way"),
        Wait.RELEASE: _("Stock to be given back"),
    }.items()
}
"""By name, which addresses of the list have; the start page of the admin and the board lead to them."""
TABS = (Wait.SHIP, Wait.DELIVERY, Wait.STOCK, Wait.PAYMENT, Wait.FAILED)
"""The lists that always have a tab; the others move on by themselves."""


class WaitingFilter(admin.SimpleListFilter):
    """One of the WAITING_LISTS."""

    title = _("what it waits for")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The lists by name."""
        return [(name, str(waiting.title)) for name, waiting in WAITING_LISTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """The orders of the list, those that have waited longest first."""
        waiting = WAITING_LISTS.get(self.value() or "")
        return waiting.orders(queryset).order_by("created_at", "pk") if waiting else queryset


class WaitingTab(Struct, frozen=True):
    """A tab above the list: one of the WAITING_LISTS with the number of its orders, or all orders."""

    title: str
    query: str
    is_open: bool
    shown_count: str = ""


def waiting_tabs(request: HttpRequest) -> Iterator[WaitingTab]:
    """All orders, then the lists that have a tab, and the one that is open."""
    opened = request.GET.get(WaitingFilter.parameter_name, "")
    yield WaitingTab(str(_("All")), "?", is_open=not request.GET)
    for name, waiting in WAITING_LISTS.items():
        if name not in {*TABS, opened}:
            continue
        query = f"?{WaitingFilter.parameter_name}={name}"
        yield WaitingTab(str(waiting.title), query, opened == name, _shown(waiting.count()))


def _shown(count: Count) -> str:
    return f"{count.rows:,}" if count.is_exact else f"{MAX_COUNTED_WAITING:,}+"
