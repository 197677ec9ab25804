"""Recording the answers of the stock service on the orders."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from orders_app.document import CancelCode, CancelReason, OrderDocument
from orders_app.event_log import Origin
from orders_app.services.locked_order import LockedOrder, locked_orders
from orders_app.state_machine import BEFORE_SHIPMENT, FINAL, OrderStatus, StockStatus


class StockReserved(Struct, frozen=True):
    """All lines of the order are reserved."""

    order_id: str
    trace_parent: str = ""


class StockShortage(Struct, frozen=True):
    """Why one product could not be reserved; `code` as in `inventory.rejected`."""

    product_id: str
    code: str
    requested: int
    available: int


class StockRejected(Struct, frozen=True):
    """Nothing is reserved for the order, for these reasons."""

    order_id: str
    shortages: Sequence[StockShortage]
    trace_parent: str = ""


class StockReleased(Struct, frozen=True):
    """The order holds no stock any more."""

    order_id: str
    trace_parent: str = ""


StockAnswer = StockReserved | StockRejected | StockReleased

STOCK_RELEASED = CancelReason(
    CancelCode.STOCK_RELEASED, "The stock kept for this order was given up, so it had to be cancelled."
)


def record_answers(*, answers: Sequence[StockAnswer], origin_actor: str) -> None:
    """Record these answers, in their order, in one transaction.

    Safe to run again with the same or old answers: the effect of an answer depends on the order's state.
    Answers about unknown orders are ignored.
    """
    answers_by_id = [(order_id, answer) for answer in answers if (order_id := _parse_id(answer.order_id))]
    if not answers_by_id:
        return
    with locked_orders({order_id for order_id, _ in answers_by_id}, Origin(origin_actor)) as orders:
        for order_id, answer in answers_by_id:
            if order := orders.get(order_id):
                order.origin = Origin(origin_actor, answer.trace_parent)
                _record(order, answer)


def _parse_id(order_id: str) -> UUID | None:
    """The id, or None where it is not in the form in which orders' ids are published."""
    try:
        parsed = UUID(order_id)
    except ValueError:
        return None
    return parsed if str(parsed) == order_id else None


def _record(order: LockedOrder, answer: StockAnswer) -> None:
    match answer:
        case StockReserved():
            _record_reserved(order)
        case StockRejected():
            _record_rejected(order, answer)
        case StockReleased():
            _record_released(order)


def _record_reserved(order: LockedOrder) -> None:
    status, stock = order.document.status, order.document.stock_status
    if status == OrderStatus.CANCELLED:
        if stock in {StockStatus.PENDING, StockStatus.REJECTED}:
            order.request_release("The order was cancelled before its stock was reserved.")
    elif stock == StockStatus.PENDING:
        order.confirm_stock()


def _record_rejected(order: LockedOrder, answer: StockRejected) -> None:
    if order.document.stock_status != StockStatus.PENDING:
        return
    if order.document.status in FINAL:
        order.record_stock_status(StockStatus.REJECTED)
    else:
        order.cancel(_rejection(order.document, answer.shortages), StockStatus.REJECTED)


def _record_released(order: LockedOrder) -> None:
    """An order that lost its stock before it was shipped cannot be fulfilled: it is cancelled."""
    if order.document.stock_status not in {StockStatus.PENDING, StockStatus.RESERVED}:
        return
    if order.document.status in BEFORE_SHIPMENT:
        order.cancel(STOCK_RELEASED, StockStatus.RELEASED)
    else:
        order.record_stock_status(StockStatus.RELEASED)


def _rejection(document: OrderDocument, shortages: Sequence[StockShortage]) -> CancelReason:
    names = {item.product_id: item.product_name for item in document.items}
    reasons = "; ".join(
        _explain(names.get(shortage.product_id, shortage.product_id), shortage) for shortage in shortages
    )
    return CancelReason(CancelCode(shortages[0].code), f"We could not reserve your order: {reasons}.")


SENTENCES: Mapping[str, str] = {
    CancelCode.INSUFFICIENT_STOCK: "{name}: {requested} requested, {available} available",
    CancelCode.PRODUCT_INACTIVE: "{name}: {requested} requested, no longer sold",
    CancelCode.PRODUCT_NOT_FOUND: "{name}: {requested} requested, no longer in the catalogue",
}


def _explain(name: str, shortage: StockShortage) -> str:
    return SENTENCES[shortage.code].format(
        name=name, requested=shortage.requested, available=shortage.available
    )
