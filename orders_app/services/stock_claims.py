"""What the orders say about their stock, for comparing it with what the stock service says."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Struct

from orders_app.event_log import Origin
from orders_app.models import Order, OrderItem
from orders_app.services.locked_order import open_orders
from orders_app.state_machine import OrderStatus, StockStatus


class StockClaim(Struct, frozen=True):
    """What one order, at one of its versions, believes about its stock; `lines` is what it wants."""

    order_id: UUID
    version: int
    status: OrderStatus
    stock_status: StockStatus
    lines: dict[str, int]

    @property
    def is_cancelled(self) -> bool:
        """Whether the order wants nothing any more."""
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


def ask_stock_again(*, order_id: UUID, version: int, origin: Origin) -> bool:
    """Have the stock service asked once more: to release for a cancelled order, else to reserve.

    It answers what it answered before, if it did, and the answer finds its way to the order. False, with
    nothing changed, where the order is not at this version any more.
    """
    with open_orders([order_id], origin) as orders:
        order = orders.get(order_id)
        if order is None or order.document.version != version:
            return False
        if order.document.status == OrderStatus.CANCELLED:
            order.request_release("The order is cancelled; its stock is asked back once more.")
        else:
            order.request_reserve()
    return True
