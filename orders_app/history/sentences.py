"""What happened to an order, in a sentence for people: one builder for every type of event."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from orders_app.document import OrderDocument
from orders_app.event_data import (
    EventType,
    PaymentRequested,
    RefundRequested,
    ReleaseRequested,
    StatusChanged,
)
from orders_app.event_log import LoggedEvent
from orders_app.history.steps import Step
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus

ERASED = "Personal data in it was erased."
UNREADABLE = "Another version of the shop wrote this event, and this one cannot read it."
ASKED_AGAIN: Mapping[str, str] = {
    "service:audit": "No answer about it had arrived.",
    "service:products": "The answers about it contradicted each other.",
}


class Happened(Struct, frozen=True):
    """What a sentence is made of; before the first event the order is the same as after it.

    What is internal is in the sentence only `for_staff`.
    """

    data: Any
    before: OrderDocument
    after: OrderDocument
    actor: str
    for_staff: bool

    def money(self, amount: Decimal) -> str:
        """The amount in the order's currency."""
        return f"{amount} {self.after.currency}"


Sentence = Callable[[Happened], str]


def sentence_of(step: Step, *, for_staff: bool) -> str:
    """What happened in this step, in one sentence or a few."""
    if step.data is None or step.after is None:
        return UNREADABLE
    before = step.before or step.after
    happened = Happened(step.data, before, step.after, step.event.actor, for_staff)
    sentence = SENTENCES[step.event.type](happened)
    # What a redaction leaves of a reason is no sentence.
    return f"{sentence.removesuffix(' erased')} {ERASED}" if _is_redacted(step.event) else sentence


class _MaybeRedacted(Struct):
    """What a redaction adds to the data of an event: its own id."""

    redaction: int | None = None


def _is_redacted(event: LoggedEvent) -> bool:
    """Whether personal data in the event was erased."""
    return msgspec.json.decode(event.data, type=_MaybeRedacted).redaction is not None


def _created(happened: Happened) -> str:
    order = happened.after
    pieces = sum(line.quantity for line in order.items)
    bought = "1 piece" if pieces == 1 else f"{pieces} pieces"
    total = happened.money(order.total_amount)
    return f"The order was placed: {bought} for {total} ({order.payment_method.label})."


def _updated(happened: Happened) -> str:
    return " ".join(_updates(happened)) or "The order was updated."


def _updates(happened: Happened) -> Iterator[str]:
    before, after = happened.before, happened.after
    if after.shipping_address != before.shipping_address:
        yield "The shipping address was changed."
    if after.tracking_number != before.tracking_number:
        yield _tracking_number(before.tracking_number, after.tracking_number)
    if after.payment_attempts != before.payment_attempts:
        yield f"Payment attempt {after.payment_attempts} began."
    if after.stock_status != before.stock_status:
        yield _stock_status(after.stock_status)


def _tracking_number(before: str | None, after: str | None) -> str:
    if not after:
        return f"The tracking number {before} was taken back."
    return (
        f"The tracking number changed from {before} to {after}."
        if before
        else f"The tracking number is {after}."
    )


def _stock_status(status: StockStatus) -> str:
    rejected = status == StockStatus.REJECTED
    return "The stock could not be reserved." if rejected else f"The stock is {status.label.lower()}."


def _status_changed(happened: Happened) -> str:
    data: StatusChanged = happened.data
    return " ".join(
        [
            f"The order went from {data.old_status_label} to {data.new_status_label}.",
            *_circumstances(happened),
        ]
    )


def _circumstances(happened: Happened) -> Iterator[str]:
    """Why a status could change, and what came with it."""
    data, order = happened.data, happened.after
    if data.new_status == OrderStatus.PROCESSING and order.stock_status == StockStatus.RESERVED:
        is_paid = order.payment_status == PaymentStatus.PAID
        yield "Its stock is reserved and it is paid." if is_paid else "Its stock is reserved."
    if data.tracking_number is not UNSET:
        yield f"Its tracking number is {data.tracking_number}."
    if happened.for_staff and data.override is not UNSET:
        without = " and ".join(data.override.without)
        yield f"The checks were overridden, without its {without}: {data.override.reason}"


def _cancelled(happened: Happened) -> str:
    reason = happened.after.cancel_reason
    return f"The order was cancelled. {reason.detail if reason else happened.data.reason}".strip()


def _payment_requested(happened: Happened) -> str:
    data: PaymentRequested = happened.data
    if data.payment_id is UNSET:
        return f"The payment of {happened.money(data.amount)} was requested (attempt {data.attempt})."
    return (
        f"The payment {data.payment_id} was looked up."
        if happened.for_staff
        else "The payment was looked up."
    )


def _payment(happened: Happened) -> str:
    order = happened.after
    if order.payment_status == PaymentStatus.FAILED:
        return f"The payment failed. {order.payment_failure.detail if order.payment_failure else ''}".strip()
    if order.is_prepaid and not order.total_amount:
        return "There was nothing to pay."
    total = happened.money(order.total_amount)
    return f"{total} was paid." if order.payment_reference else f"{total} was recorded as paid."


def _refund_requested(happened: Happened) -> str:
    data: RefundRequested = happened.data
    payment = f" of payment {data.payment_id}" if happened.for_staff else ""
    return f"{happened.money(data.amount)}{payment} will be given back. {data.reason}"


def _refunded(happened: Happened) -> str:
    amount = happened.after.refunded_amount - happened.before.refunded_amount
    return (
        f"{happened.money(amount)} went back."
        if amount
        else "A payment that the order does not keep went back."
    )


def _refund_failed(happened: Happened) -> str:
    amount = happened.before.refund_requested_amount - happened.after.refund_requested_amount
    return f"The refund of {happened.money(amount)} failed." if amount else "A refund failed."


def _release_requested(happened: Happened) -> str:
    data: ReleaseRequested = happened.data
    return f"The release of the stock was requested. {data.reason}"


def _reserve_requested(happened: Happened) -> str:
    why = ASKED_AGAIN.get(happened.actor, "") if happened.for_staff else ""
    return f"The stock was requested again. {why}".strip()


def _always(sentence: str) -> Sentence:
    return lambda _: sentence


SENTENCES: Mapping[EventType, Sentence] = {
    EventType.CREATED: _created,
    EventType.UPDATED: _updated,
    EventType.CONFIRMED: _always("The stock was reserved."),
    EventType.STATUS_CHANGED: _status_changed,
    EventType.CANCELLED: _cancelled,
    EventType.COMPLETED: _always("The order was delivered."),
    EventType.PAYMENT_REQUESTED: _payment_requested,
    EventType.PAYMENT: _payment,
    EventType.REFUND_REQUESTED: _refund_requested,
    EventType.REFUNDED: _refunded,
    EventType.REFUND_FAILED: _refund_failed,
    EventType.STOCK_RELEASED: _always("The stock was released."),
    EventType.RELEASE_REQUESTED: _release_requested,
    EventType.RESERVE_REQUESTED: _reserve_requested,
    EventType.DELETED: _always("The order was deleted."),
}
