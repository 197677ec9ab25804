"""What messages tell of an order, and how it is put together.

Each fact is put together by a rule that gives the same whatever the order of the messages, and however often
one comes: the earliest time, the greatest value, the value of the highest or lowest version. SQL puts the
facts of a batch and those of the row together by the same rules (`writing.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec import Struct

from orders_app.document import REJECTIONS
from orders_app.messages import (
    Item,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderStatusChanged,
    OrderUpdated,
)
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus

Told = OrderCreated | OrderStatusChanged | OrderCancelled | OrderCompleted | OrderUpdated
"""The messages from which figures are made."""
_NOTHING = Decimal(0)


class LineFacts(Struct, omit_defaults=True):
    """What messages tell of a line; the fields are columns of `analytics_line`."""

    order_id: str
    product_id: str
    product_name: str
    quantity: int
    price: Decimal
    category: str = ""
    placed_at: datetime | None = None
    rejected: bool = False


class OrderFacts(Struct, omit_defaults=True):
    """What messages tell of an order; the fields, but for `lines`, are columns of `analytics_order`."""

    order_id: str
    user_id: int | None = None
    placed_at: datetime | None = None
    currency: str = ""
    total: Decimal | None = None
    pieces: int | None = None
    payment_method: int | None = None
    status: int = OrderStatus.PENDING
    status_version: int = 0
    reserved_at: datetime | None = None
    reserved_version: int | None = None
    confirmed_at: datetime | None = None
    paid_at: datetime | None = None
    paid_version: int | None = None
    refunded: Decimal = _NOTHING
    refunded_version: int = 0
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_code: str = ""
    rejected: bool = False


class Figures(NamedTuple):
    """The facts of orders and lines, by order, and by order and product."""

    orders: dict[str, OrderFacts]
    lines: dict[tuple[str, str], LineFacts]


class VersionedMessage(NamedTuple):
    """A message, with the version of its order that it tells of."""

    version: int
    value: Told


def fold(messages: Iterable[VersionedMessage]) -> Figures:
    """The facts that these messages tell, put together."""
    figures = Figures({}, {})
    for version, value in messages:
        order = figures.orders.get(value.order_id)
        if order is None:
            order = figures.orders[value.order_id] = OrderFacts(value.order_id)
        _APPLY[type(value)](figures, order, version, value)
    return figures


def _created(figures: Figures, order: OrderFacts, version: int, value: OrderCreated) -> None:
    order.user_id = _greatest(order.user_id, int(value.user_id))
    order.placed_at = _earliest(order.placed_at, value.created_at)
    order.currency = max(order.currency, value.currency)
    order.total = _greatest(order.total, value.total_amount)
    order.pieces = _greatest(order.pieces, sum(item.quantity for item in value.items))
    order.payment_method = _greatest(order.payment_method, value.payment_method)
    _set_status(order, version, OrderStatus.PENDING)
    _add_lines(figures, value.order_id, value.items)
    for item in value.items:
        line = figures.lines[value.order_id, item.product_id]
        line.placed_at = _earliest(line.placed_at, value.created_at)
        line.category = max(line.category, item.category)


def _status_changed(figures: Figures, order: OrderFacts, version: int, value: OrderStatusChanged) -> None:
    _set_status(order, version, value.new_status)
    _set_stock_and_payment(order, version, value)
    match value.new_status:
        case OrderStatus.PROCESSING:
            order.confirmed_at = _earliest(order.confirmed_at, value.timestamp)
        case OrderStatus.SHIPPED:
            order.shipped_at = _earliest(order.shipped_at, value.timestamp)
        case OrderStatus.DELIVERED:
            order.delivered_at = _earliest(order.delivered_at, value.timestamp)
        case OrderStatus.CANCELLED:
            order.cancelled_at = _earliest(order.cancelled_at, value.timestamp)


def _cancelled(figures: Figures, order: OrderFacts, version: int, value: OrderCancelled) -> None:
    _set_status(order, version, OrderStatus.CANCELLED)
    order.cancelled_at = _earliest(order.cancelled_at, value.cancelled_at)
    order.cancel_code = max(order.cancel_code, value.code or "")
    order.rejected = order.rejected or value.code in REJECTIONS
    _add_lines(figures, value.order_id, value.items)
    for product_id in value.rejected_products:
        if line := figures.lines.get((value.order_id, product_id)):
            line.rejected = True


def _completed(figures: Figures, order: OrderFacts, version: int, value: OrderCompleted) -> None:
    _set_status(order, version, OrderStatus.DELIVERED)
    order.delivered_at = _earliest(order.delivered_at, value.delivered_at)


def _updated(figures: Figures, order: OrderFacts, version: int, value: OrderUpdated) -> None:
    _set_stock_and_payment(order, version, value)
    if isinstance(value.refunded_amount, Decimal):
        told, known = (version, value.refunded_amount), (order.refunded_version, order.refunded)
        order.refunded_version, order.refunded = max(told, known)


_APPLY: Mapping[type[Struct], Callable[[Figures, OrderFacts, int, Any], None]] = {
    OrderCreated: _created,
    OrderStatusChanged: _status_changed,
    OrderCancelled: _cancelled,
    OrderCompleted: _completed,
    OrderUpdated: _updated,
}


def _set_status(order: OrderFacts, version: int, status: int) -> None:
    order.status_version, order.status = max(
        (version, int(status)), (order.status_version, int(order.status))
    )


def _set_stock_and_payment(order: OrderFacts, version: int, value: OrderStatusChanged | OrderUpdated) -> None:
    """When the order was reserved and paid: the first version that says so is of that moment.

    Not the earliest time: the clocks of two processes differ.
    """
    is_first = order.reserved_version is None or version < order.reserved_version
    if value.stock_status == StockStatus.RESERVED and is_first:
        order.reserved_at, order.reserved_version = value.timestamp, version
    is_first = order.paid_version is None or version < order.paid_version
    if value.payment_status == PaymentStatus.PAID and is_first:
        order.paid_at, order.paid_version = value.timestamp, version


def _add_lines(figures: Figures, order_id: str, items: Iterable[Item]) -> None:
    for item in items:
        key = order_id, item.product_id
        if (line := figures.lines.get(key)) is None:
            figures.lines[key] = LineFacts(
                order_id, item.product_id, item.product_name, item.quantity, item.price
            )
        else:
            line.product_name = max(line.product_name, item.product_name)
            line.quantity = max(line.quantity, item.quantity)
            line.price = max(line.price, item.price)


def _earliest(known: datetime | None, told: datetime) -> datetime:
    return told if known is None or told < known else known


def _greatest(known: Any, told: Any) -> Any:
    return told if known is None or told > known else known
