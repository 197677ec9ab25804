"""Recording the answers of the stock service on the orders.

An answer that contradicts its order is kept (`StockContradiction`). It is believed only where it answers the
last command of the order and no other answer has come since; else the stock is requested again, and the
answer to that request decides. docs/stock.md lists the cases.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import UNSET

from orders_app import event_effects, event_log
from orders_app.document import CancelCode, CancelReason, OrderDocument
from orders_app.event_data import EventType, StatusChanged
from orders_app.event_log import LoggedEvent, NewEvent, Origin
from orders_app.services.answer_counts import AnswerCounts
from orders_app.services.keep_contradiction import Outcome, is_kept, keep_contradiction
from orders_app.services.locked_order import LockedOrder
from orders_app.services.locking import locked_orders
from orders_app.services.rejection import explain_rejection
from orders_app.services.stock_answers import (
    Kind,
    StockAnswer,
    StockRejected,
    StockReleased,
    StockReserved,
    find_contradiction,
)
from orders_app.services.usual_answers import record_usual_answers
from orders_app.state_machine import BEFORE_SHIPMENT, OrderStatus, StockStatus

STOCK_RELEASED = CancelReason(
    CancelCode.STOCK_RELEASED, "The stock kept for this order was given up, so it had to be cancelled."
)
CANCELLED_BEFORE_RESERVED = "The order was cancelled before its stock was reserved."
COMMANDS: Mapping[EventType, str] = {
    EventType.CREATED: "inventory.reserve",
    EventType.RESERVE_REQUESTED: "inventory.reserve",
    EventType.CANCELLED: "inventory.release",
    EventType.RELEASE_REQUESTED: "inventory.release",
}
"""The events that send a command to the stock service."""


def record_answers(*, answers: Sequence[StockAnswer], origin_actor: str) -> int:
    """Record these answers, those about one order in their order; how many of them changed nothing.

    Safe to run again with the same or old answers: the effect of an answer depends on the order's state.
    Answers about unknown orders are ignored. Two transactions: one for the usual answers, and one for those
    that need more than the order.
    """
    counts = AnswerCounts()
    unusual = record_usual_answers(
        answers=answers, origin_actor=origin_actor, is_usual=_is_usual, record=counts.counting(_apply)
    )
    if unusual:
        _record_unusual(unusual, origin_actor, counts)
    counts.show()
    return counts.repeated


def _record_unusual(
    unusual: Sequence[tuple[UUID, StockAnswer]], origin_actor: str, counts: AnswerCounts
) -> None:
    with locked_orders({order_id for order_id, _ in unusual}, Origin(origin_actor)) as orders:
        for order_id, answer in unusual:
            if order := orders.get(order_id):
                order.origin = Origin(origin_actor, answer.origin.trace_parent)
                _record(order, answer, counts)


def _is_usual(answer: StockAnswer, order: OrderDocument) -> bool:
    """Whether recording the answer reads and writes nothing but the order."""
    needs_history = isinstance(answer, StockRejected) and order.version > 1
    return not needs_history and find_contradiction(answer, order) is None


def _record(order: LockedOrder, answer: StockAnswer, counts: AnswerCounts) -> None:
    if kind := find_contradiction(answer, order.document) or _find_in_history(answer, order):
        _record_contradiction(order, answer, kind)
    else:
        counts.counting(_apply)(order, answer)


def _find_in_history(answer: StockAnswer, order: LockedOrder) -> Kind | None:
    """The contradiction of a rejection after the stock was reserved and requested again; usually None."""
    document = order.document
    is_awaited = document.stock_status == StockStatus.PENDING and document.status != OrderStatus.CANCELLED
    if not is_awaited or not isinstance(answer, StockRejected):
        return None
    history = event_log.history(document.id)
    was_confirmed = any(event.type == EventType.CONFIRMED for event in _events(order, history))
    is_contradiction = was_confirmed and not _is_answer(order, answer, history)
    return Kind.REJECTED_AFTER_RESERVED if is_contradiction else None


def _record_contradiction(order: LockedOrder, answer: StockAnswer, kind: Kind) -> None:
    if not is_kept(answer):
        before = order.document
        outcome = _put_right(order, answer)
        keep_contradiction(answer=answer, order=before, kind=kind, outcome=outcome)


def _apply(order: LockedOrder, answer: StockAnswer) -> None:
    """Record an answer that agrees with the order; most that come a second time change nothing."""
    is_cancelled = order.document.status == OrderStatus.CANCELLED
    match answer, order.document.stock_status:
        case StockReserved(), StockStatus.PENDING if is_cancelled:
            order.request_release(CANCELLED_BEFORE_RESERVED)
        case StockReserved(), StockStatus.PENDING:
            order.confirm_stock()
        case StockRejected(), StockStatus.PENDING if is_cancelled:
            order.record_stock_status(StockStatus.REJECTED)
        case StockRejected(), StockStatus.PENDING:
            _apply_rejection(order, answer)
        case StockReleased(), StockStatus.PENDING | StockStatus.RESERVED:
            order.record_stock_status(StockStatus.RELEASED)


def _apply_rejection(order: LockedOrder, answer: StockAnswer) -> None:
    before = order.document
    # Most orders are as they were placed, so that there is nothing to read.
    history = event_log.history(before.id) if before.version > 1 else []
    outcome = _lose_stock(order, answer, history)
    if outcome == Outcome.FOR_PEOPLE and not is_kept(answer):
        keep_contradiction(answer=answer, order=before, kind=Kind.WITHOUT_STOCK, outcome=outcome)


def _events(order: LockedOrder, history: Sequence[LoggedEvent]) -> list[LoggedEvent | NewEvent]:
    """All events of the order, those of this batch included."""
    return [*history, *order.events]


def _lose_stock(order: LockedOrder, answer: StockAnswer, history: Sequence[LoggedEvent]) -> Outcome:
    """Cancel an order that cannot have its stock, unless it went on without: that is left to people."""
    if order.document.status not in BEFORE_SHIPMENT or _went_on_without_stock(history):
        is_released = isinstance(answer, StockReleased)
        order.record_stock_status(StockStatus.RELEASED if is_released else StockStatus.REJECTED)
        return Outcome.FOR_PEOPLE
    if isinstance(answer, StockRejected):
        rejected = tuple(shortage.product_id for shortage in answer.shortages)
        order.cancel(explain_rejection(order.document, answer.shortages), StockStatus.REJECTED, rejected)
    else:
        # The release is requested, in case the order holds something after all.
        order.cancel(STOCK_RELEASED)
    return Outcome.CANCELLED


def _went_on_without_stock(history: Sequence[LoggedEvent]) -> bool:
    """Whether staff let the order go on without its stock."""
    changes = (event for event in history if event.type == EventType.STATUS_CHANGED)
    decoded = (event_effects.decode(event.type, event.data) for event in changes)
    return any(
        isinstance(data, StatusChanged) and data.override is not UNSET and "stock" in data.override.without
        for data in decoded
    )


def _put_right(order: LockedOrder, answer: StockAnswer) -> Outcome:
    """Do what a contradicting answer calls for."""
    history = event_log.history(order.document.id)
    if order.document.status == OrderStatus.CANCELLED:
        return _put_cancelled_right(order, answer, history)
    if order.document.stock_status == StockStatus.PENDING and _is_answer(order, answer, history):
        return _lose_stock(order, answer, history)
    if _events(order, history)[-1].type == EventType.RESERVE_REQUESTED:
        return Outcome.NONE
    order.request_reserve()
    return Outcome.ASKED_AGAIN


def _put_cancelled_right(order: LockedOrder, answer: StockAnswer, history: Sequence[LoggedEvent]) -> Outcome:
    """A cancelled order must hold nothing."""
    stock_status = order.document.stock_status
    if stock_status == StockStatus.RELEASED:
        return Outcome.NONE
    if isinstance(answer, StockReleased) and _is_answer(order, answer, history):
        order.record_stock_status(StockStatus.RELEASED)
        return Outcome.RECORDED
    is_requested = _events(order, history)[-1].type == EventType.RELEASE_REQUESTED
    if isinstance(answer, StockReserved) and stock_status != StockStatus.RESERVED and not is_requested:
        order.request_release(CANCELLED_BEFORE_RESERVED)
        return Outcome.RELEASE_REQUESTED
    return Outcome.NONE


def _is_answer(order: LockedOrder, answer: StockAnswer, history: Sequence[LoggedEvent]) -> bool:
    """Whether the answer names the last command that the order has sent.

    Another answer may have come to an earlier one, from which a forged answer can copy its headers.
    """
    command = next(event for event in reversed(_events(order, history)) if event.type in COMMANDS)
    return answer.origin.cause == f"{order.document.id}:{command.version}:{COMMANDS[command.type]}"
