"""What happened to an order, in a sentence for people: one builder for every type of event."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from django.utils.translation import gettext, gettext_noop, ngettext
from msgspec import UNSET, Struct

from orders_app.customer_sentences import translated
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

STOCK_SENTENCES: Mapping[StockStatus, str] = {
    StockStatus.PENDING: gettext_noop("The stock is pending."),
    StockStatus.RESERVED: gettext_noop("The stock is reserved."),
    StockStatus.REJECTED: gettext_noop("The stock could not be reserved."),
    StockStatus.RELEASED: gettext_noop("The stock is released."),
}
PARTS_OF_THE_CHECKS = {"stock": gettext_noop("stock"), "payment": gettext_noop("payment")}
ERASED = gettext_noop("Personal data in it was erased.")
UNREADABLE = gettext_noop("Another version of the shop wrote this event, and this one cannot read it.")
ASKED_AGAIN: Mapping[str, str] = {
    "service:audit": gettext_noop("No answer about it had arrived."),
    "service:products": gettext_noop("The answers about it contradicted each other."),
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
        return gettext(UNREADABLE)
    before = step.before or step.after
    happened = Happened(step.data, before, step.after, step.event.actor, for_staff)
    sentence = SENTENCES[step.event.type](happened)
    # What a redaction leaves of a reason is no sentence.
    return f"{sentence.removesuffix(' erased')} {gettext(ERASED)}" if _is_redacted(step.event) else sentence


class _MaybeRedacted(Struct):
    """What a redaction adds to the data of an event: its own id."""

    redaction: int | None = None


def _is_redacted(event: LoggedEvent) -> bool:
    """Whether personal data in the event was erased."""
    return msgspec.json.decode(event.data, type=_MaybeRedacted).redaction is not None


def _created(happened: Happened) -> str:
    order = happened.after
    pieces = sum(line.quantity for line in order.items)
    sentence = ngettext(
        "The order was placed: %(pieces)s piece for %(total)s (%(method)s).",
        "The order was placed: %(pieces)s pieces for %(total)s (%(method)s).",
        pieces,
    )
    total, method = happened.money(order.total_amount), gettext(order.payment_method.label)
    return sentence % {"pieces": pieces, "total": total, "method": method}


def _updated(happened: Happened) -> str:
    return " ".join(_updates(happened)) or gettext("The order was updated.")


def _updates(happened: Happened) -> Iterator[str]:
    before, after = happened.before, happened.after
    if after.shipping_address != before.shipping_address:
        yield gettext("The shipping address was changed.")
    if after.tracking_number != before.tracking_number:
        yield _tracking_number(before.tracking_number, after.tracking_number)
    if after.payment_attempts != before.payment_attempts:
        yield gettext("Payment attempt %(attempt)s began.") % {"attempt": after.payment_attempts}
    if after.stock_status != before.stock_status:
        yield gettext(STOCK_SENTENCES[after.stock_status])


def _tracking_number(before: str | None, after: str | None) -> str:
    if not after:
        sentence = gettext("The tracking number %(before)s was taken back.")
    elif before:
        sentence = gettext("The tracking number changed from %(before)s to %(after)s.")
    else:
        sentence = gettext("The tracking number is %(after)s.")
    return sentence % {"before": before, "after": after}


def _status_changed(happened: Happened) -> str:
    data: StatusChanged = happened.data
    return " ".join(
        [
            gettext("The order went from %(old)s to %(new)s.")
            % {"old": gettext(data.old_status_label), "new": gettext(data.new_status_label)},
            *_circumstances(happened),
        ]
    )


def _circumstances(happened: Happened) -> Iterator[str]:
    """Why a status could change, and what came with it."""
    data, order = happened.data, happened.after
    if data.new_status == OrderStatus.PROCESSING and order.stock_status == StockStatus.RESERVED:
        is_paid = order.payment_status == PaymentStatus.PAID
        yield (
            gettext("Its stock is reserved and it is paid.") if is_paid else gettext("Its stock is reserved.")
        )
    if data.tracking_number is not UNSET:
        yield gettext("Its tracking number is %(number)s.") % {"number": data.tracking_number}
    if happened.for_staff and data.override is not UNSET:
        without = gettext(" and ").join(
            gettext(PARTS_OF_THE_CHECKS.get(each, each)) for each in data.override.without
        )
        sentence = gettext("The checks were overridden, without its %(without)s: %(reason)s")
        yield sentence % {"without": without, "reason": data.override.reason}


def _cancelled(happened: Happened) -> str:
    reason = happened.after.cancel_reason
    why = translated(reason.detail if reason else happened.data.reason)
    return f"{gettext('The order was cancelled.')} {why}".strip()


def _payment_requested(happened: Happened) -> str:
    data: PaymentRequested = happened.data
    if data.payment_id is UNSET:
        sentence = gettext("The payment of %(amount)s was requested (attempt %(attempt)s).")
        return sentence % {"amount": happened.money(data.amount), "attempt": data.attempt}
    if not happened.for_staff:
        return gettext("The payment was looked up.")
    return gettext("The payment %(payment)s was looked up.") % {"payment": data.payment_id}


def _payment(happened: Happened) -> str:
    order = happened.after
    if order.payment_status == PaymentStatus.FAILED:
        why = translated(order.payment_failure.detail) if order.payment_failure else ""
        return f"{gettext('The payment failed.')} {why}".strip()
    if order.is_prepaid and not order.total_amount:
        return gettext("There was nothing to pay.")
    if order.payment_reference:
        sentence = gettext("%(amount)s was paid.")
    else:
        sentence = gettext("%(amount)s was recorded as paid.")
    return sentence % {"amount": happened.money(order.total_amount)}


def _refund_requested(happened: Happened) -> str:
    data: RefundRequested = happened.data
    sentence = (
        gettext("%(amount)s of payment %(payment)s will be given back.")
        if happened.for_staff
        else gettext("%(amount)s will be given back.")
    )
    words = {"amount": happened.money(data.amount), "payment": data.payment_id}
    return f"{sentence % words} {translated(data.reason)}"


def _refunded(happened: Happened) -> str:
    amount = happened.after.refunded_amount - happened.before.refunded_amount
    if not amount:
        return gettext("A payment that the order does not keep went back.")
    return gettext("%(amount)s went back.") % {"amount": happened.money(amount)}


def _refund_failed(happened: Happened) -> str:
    amount = happened.before.refund_requested_amount - happened.after.refund_requested_amount
    if not amount:
        return gettext("A refund failed.")
    return gettext("The refund of %(amount)s failed.") % {"amount": happened.money(amount)}


def _release_requested(happened: Happened) -> str:
    data: ReleaseRequested = happened.data
    return f"{gettext('The release of the stock was requested.')} {translated(data.reason)}"


def _reserve_requested(happened: Happened) -> str:
    why = ASKED_AGAIN.get(happened.actor, "") if happened.for_staff else ""
    return f"{gettext('The stock was requested again.')} {gettext(why) if why else ''}".strip()


def _always(sentence: str) -> Sentence:
    return lambda _: gettext(sentence)


SENTENCES: Mapping[EventType, Sentence] = {
    EventType.CREATED: _created,
    EventType.UPDATED: _updated,
    EventType.CONFIRMED: _always(gettext_noop("The stock was reserved.")),
    EventType.STATUS_CHANGED: _status_changed,
    EventType.CANCELLED: _cancelled,
    EventType.COMPLETED: _always(gettext_noop("The order was delivered.")),
    EventType.PAYMENT_REQUESTED: _payment_requested,
    EventType.PAYMENT: _payment,
    EventType.REFUND_REQUESTED: _refund_requested,
    EventType.REFUNDED: _refunded,
    EventType.REFUND_FAILED: _refund_failed,
    EventType.STOCK_RELEASED: _always(gettext_noop("The stock was released.")),
    EventType.RELEASE_REQUESTED: _release_requested,
    EventType.RESERVE_REQUESTED: _reserve_requested,
    EventType.DELETED: _always(gettext_noop("The order was deleted.")),
}
