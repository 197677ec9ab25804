"""The stock that orders claim to hold, for the audit to compare with the stock ledger."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Struct

from orders_app import event_log
from orders_app.event_log import Origin
from orders_app.models import Order, OrderItem
from orders_app.services.locking import locked_orders
from orders_app.state_machine import OrderStatus, StockStatus


class StockClaim(Struct, frozen=True):
    """The stock that one order claims at one of its versions: `lines` has the quantity of each product."""

    order_id: UUID
    version: int
    status: OrderStatus
    stock_status: StockStatus
    lines: dict[str, int]

    @property
    def is_cancelled(self) -> bool:
        """Whether the order is cancelled and so claims nothing."""
        return self.status == OrderStatus.CANCELLED


def next_claims(after: UUID, size: int) -> list[StockClaim]:
    """The claims of the next orders after this id, by id, at most `size`."""
    return _claims(Order.objects.filter(pk__gt=after).order_by("pk")[:size])


def read_claims(order_ids: Collection[UUID]) -> list[StockClaim]:
    """The claims of those of these orders that exist, by id."""
    return _claims(Order.objects.filter(pk__in=order_ids).order_by("pk"))


def _claims(orders: QuerySet[Order]) -> list[StockClaim]:
    rows = list(orders.values_list("pk", "version", "status", "stock_status"))
    lines: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    items = OrderItem.objects.order_by().filter(order__in=[row[0] for row in rows])
    for order_id, product_id, quantity in items.values_list("order_id", "product_id", "quantity"):
        lines[order_id][product_id] = quantity
    return [
        StockClaim(order_id, version, OrderStatus(status), StockStatus(stock_status), lines[order_id])
        for order_id, version, status, stock_status in rows
    ]


def find_unknown(order_ids: Collection[UUID]) -> set[UUID]:
    """Those of these orders that never were: without a row, and without events in the log or its archive."""
    unknown = set(order_ids) - set(Order.objects.filter(pk__in=order_ids).values_list("pk", flat=True))
    return unknown - event_log.with_events(unknown) if unknown else unknown


def request_stock_again(*, order_id: UUID, version: int, origin: Origin) -> bool:
    """Request the release of a cancelled order's stock again, or the reservation of another order's.

    The stock service repeats its answer if it has given one. False, with nothing changed, where the order is
    not at this version any more.
    """
    with locked_orders([order_id], origin) as orders:
        order = orders.get(order_id)
        if order is None or order.document.version != version:
            return False
        if order.document.status == OrderStatus.CANCELLED:
            order.request_release("The order is cancelled; its stock is asked back once more.")
        else:
            order.request_reserve()
    return True
