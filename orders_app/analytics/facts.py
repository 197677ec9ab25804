"""What messages tell of an order, and how it is put together.

Each fact is put together by a rule that gives the same whatever the order of the messages, and however often
one comes: the earliest time, the greatest value, the value of the highest or lowest version. SQL puts the
facts of a batch and those of the row together by the same rules (`writing.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid5

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
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus

Told = OrderCreated | OrderStatusChanged | OrderCancelled | OrderCompleted | OrderUpdated
"""The messages from which figures are made."""
MOST_DIGITS = 18
"""Of the id of a user, which is a whole number of 64 bits."""
MOST_OF_CODE = 40
"""Characters of the code of a cancellation that are kept."""
_NOTHING = Decimal(0)
_NAMESPACE_OF_OTHERS = UUID("6b7e945a-b507-49d5-8bd4-b2cc07d8bd66")
# Other numbers, which the schemas allow other senders, are in no figure.
_STATUSES, _PAYMENT_METHODS = frozenset(OrderStatus), frozenset(PaymentMethod)


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
    """A message, with the version of its order that it tells of; `is_ours` if our relay has sent it."""

    version: int
    value: Told
    is_ours: bool = True


def fold(messages: Iterable[VersionedMessage]) -> Figures:
    """The facts that these messages tell, put together.

    Messages of other senders are about their orders, which have rows under ids of their own (`id_of_other`).
    """
    figures = Figures({}, {})
    for version, value, is_ours in messages:
        order_id = value.order_id if is_ours else id_of_other(value.order_id)
        order = figures.orders.get(order_id)
        if order is None:
            order = figures.orders[order_id] = OrderFacts(order_id)
        _APPLY[type(value)](figures, order, version, value)
    return figures


def id_of_other(order_id: str) -> str:
    """Under which id the rows of another sender's order are: always the same, and never that of our order.

    Our ids are UUIDs of version 7, these are of version 5. The sender's may be any text.
    """
    return str(uuid5(_NAMESPACE_OF_OTHERS, order_id))


def user_of(user_id: str) -> int | None:
    """The user, None if the text is no whole number: other senders may know users otherwise."""
    return int(user_id) if user_id.isdecimal() and len(user_id) <= MOST_DIGITS else None


def _created(figures: Figures, order: OrderFacts, version: int, value: OrderCreated) -> None:
    order.user_id = _greatest(order.user_id, user_of(value.user_id))
    order.placed_at = _earliest(order.placed_at, value.created_at)
    order.currency = max(order.currency, value.currency)
    order.total = _greatest(order.total, value.total_amount)
    order.pieces = _greatest(order.pieces, sum(item.quantity for item in value.items))
    if value.payment_method in _PAYMENT_METHODS:
        order.payment_method = _greatest(order.payment_method, value.payment_method)
    _set_status(order, version, OrderStatus.PENDING)
    _add_lines(figures, order.order_id, value.items)
    for item in value.items:
        line = figures.lines[order.order_id, item.product_id]
        line.placed_at = _earliest(line.placed_at, value.created_at)
        line.category = max(line.category, item.category)


def _status_changed(figures: Figures, order: OrderFacts, version: int, value: OrderStatusChanged) -> None:
    if value.new_status in _STATUSES:
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
    order.cancel_code = max(order.cancel_code, (value.code or "")[:MOST_OF_CODE])
    order.rejected = order.rejected or value.code in REJECTIONS
    _add_lines(figures, order.order_id, value.items)
    for product_id in value.rejected_products:
        if line := figures.lines.get((order.order_id, product_id)):
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

    Not the earliest time: the clocks of two processes differ. It decides between messages of one version.
    """
    told = version, value.timestamp
    if value.stock_status == StockStatus.RESERVED and _is_first(
        told, order.reserved_version, order.reserved_at
    ):
        order.reserved_version, order.reserved_at = told
    if value.payment_status == PaymentStatus.PAID and _is_first(told, order.paid_version, order.paid_at):
        order.paid_version, order.paid_at = told


def _is_first(told: tuple[int, datetime], version: int | None, at: datetime | None) -> bool:
    return version is None or at is None or told < (version, at)


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
    return told if known is None or (told is not None and told > known) else known
