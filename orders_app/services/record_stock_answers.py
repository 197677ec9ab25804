"""What the stock service answered, taken down on the orders."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from orders_app.document import CancelCode, CancelReason, OrderDocument
from orders_app.event_log import Origin
from orders_app.services.locked_order import OpenOrder, open_orders
from orders_app.state_machine import OrderStatus, StockStatus


class StockReserved(Struct, frozen=True):
    """Everything that the order wants is held for it."""

    order_id: str
    trace_parent: str = ""


class StockShortage(Struct, frozen=True):
    """Why one product could not be held; `code` as in `inventory.rejected`."""

    product_id: str
    code: str
    requested: int
    available: int


class StockRejected(Struct, frozen=True):
    """Nothing is held for the order, for these reasons."""

    order_id: str
    shortages: Sequence[StockShortage]
    trace_parent: str = ""


class StockReleased(Struct, frozen=True):
    """Nothing is held for the order any more."""

    order_id: str
    trace_parent: str = ""


StockAnswer = StockReserved | StockRejected | StockReleased

STOCK_RELEASED = CancelReason(
    CancelCode.STOCK_RELEASED, "The stock kept for this order was given up, so it had to be cancelled."
)


def record_answers(*, answers: Sequence[StockAnswer], origin_actor: str) -> None:
    """Take down these answers, in their order, in one transaction.

    Safe to run again with the same or old answers: what an answer does depends on the state it finds. Orders
    that are not ours are left alone.
    """
    addressed = [(order_id, answer) for answer in answers if (order_id := _own_id(answer.order_id))]
    if not addressed:
        return
    with open_orders({order_id for order_id, _ in addressed}, Origin(origin_actor)) as orders:
        for order_id, answer in addressed:
            if order := orders.get(order_id):
                order.origin = Origin(origin_actor, answer.trace_parent)
                _record(order, answer)


def _own_id(order_id: str) -> UUID | None:
    """The id, if it is written as we write ours: the same number in another form is another order's."""
    try:
        parsed = UUID(order_id)
    except ValueError:
        return None
    return parsed if str(parsed) == order_id else None


def _record(order: OpenOrder, answer: StockAnswer) -> None:
    match answer:
        case StockReserved():
            _record_reserved(order)
        case StockRejected():
            _record_rejected(order, answer)
        case StockReleased():
            _record_released(order)


def _record_reserved(order: OpenOrder) -> None:
    status, stock = order.document.status, order.document.stock_status
    if status == OrderStatus.CANCELLED:
        if stock in {StockStatus.PENDING, StockStatus.REJECTED}:
            order.request_release("The order was cancelled before its stock was reserved.")
    elif stock == StockStatus.PENDING:
        order.confirm_stock()


def _record_rejected(order: OpenOrder, answer: StockRejected) -> None:
    if order.document.stock_status != StockStatus.PENDING:
        return
    if order.document.status in {OrderStatus.CANCELLED, OrderStatus.DELIVERED}:
        order.note_stock(StockStatus.REJECTED)
    else:
        order.cancel(_rejection(order.document, answer.shortages), StockStatus.REJECTED)


def _record_released(order: OpenOrder) -> None:
    """An order that lost its stock before it was shipped cannot be fulfilled: it is cancelled, saying why."""
    if order.document.stock_status not in {StockStatus.PENDING, StockStatus.RESERVED}:
        return
    if order.document.status in {OrderStatus.PENDING, OrderStatus.PROCESSING}:
        order.cancel(STOCK_RELEASED, StockStatus.RELEASED)
    else:
        order.note_stock(StockStatus.RELEASED)


def _rejection(document: OrderDocument, shortages: Sequence[StockShortage]) -> CancelReason:
    names = {item.product_id: item.product_name for item in document.items}
    told = [_tell(names.get(shortage.product_id, shortage.product_id), shortage) for shortage in shortages]
    return CancelReason(CancelCode(shortages[0].code), f"We could not reserve your order: {'; '.join(told)}.")


SENTENCES: Mapping[str, str] = {
    CancelCode.INSUFFICIENT_STOCK: "{name}: {requested} requested, {available} available",
    CancelCode.PRODUCT_INACTIVE: "{name}: {requested} requested, no longer sold",
    CancelCode.PRODUCT_NOT_FOUND: "{name}: {requested} requested, no longer in the catalogue",
}


def _tell(name: str, shortage: StockShortage) -> str:
    return SENTENCES[shortage.code].format(
        name=name, requested=shortage.requested, available=shortage.available
    )
