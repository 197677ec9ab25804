"""Reads an event of the gateway (https://docs.stripe.com/api/events): of it only what is acted on."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from foundation.printable import printable, shortened
from orders_app.exceptions import WebhookRefused
from orders_app.money import from_minor_units
from orders_app.payments.messages import GatewayId
from orders_app.payments.wire import from_stripe
from orders_app.services.order_ids import parse_order_id

PAYMENT_TAKEN = "payment_intent.succeeded"
MAX_SUMMARY = 200
MAX_CODE = 40
_NUMBER = re.compile(r"[0-9]{1,9}")
LAST_SECOND = 253_402_300_799
Name = Annotated[str, Meta(max_length=100, pattern=r"^[\x21-\x7e]+$(?!\n)")]
MinorUnits = Annotated[int, Meta(ge=0, le=10**12)]
Currency = Annotated[str, Meta(pattern=r"^[A-Za-z]{3}$(?!\n)")]


class Subject(Enum):
    """What an event tells."""

    PAYMENT_TAKEN = auto()
    PAYMENT_ENDED = auto()
    DISPUTE = auto()
    REFUND_MADE = auto()
    REFUND_FAILED = auto()


class GatewayNotice(Struct, frozen=True, kw_only=True):
    """An event of the gateway, as far as it is acted on.

    `reference` is the id of its payment, dispute or refund. What the metadata names may be wrong: `order_id`,
    `attempt`, and of a refund `refund`, the version of the event that asked for it.
    """

    event_id: str
    type: str
    created_at: datetime
    subject: Subject
    reference: str
    payment_id: str
    order_id: UUID | None
    attempt: int | None
    refund: int | None
    amount: Decimal | None
    currency: str
    code: str
    summary: str


class _Event(Struct):
    """The frame of each event."""

    id: GatewayId
    type: Name
    created: Annotated[int, Meta(ge=0, le=LAST_SECOND)]
    data: "_Data"


class _Data(Struct):
    object: Raw


class _Object(Struct):
    """What is read of a payment, dispute or refund."""

    id: GatewayId
    payment_intent: GatewayId | None = None
    amount: MinorUnits | None = None
    currency: Currency | None = None
    status: str | None = None
    reason: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] | None = None


_SUBJECTS: Mapping[str, Callable[[_Object], Subject | None]] = {
    PAYMENT_TAKEN: lambda _: Subject.PAYMENT_TAKEN,
    "payment_intent.payment_failed": lambda _: Subject.PAYMENT_ENDED,
    "payment_intent.requires_action": lambda _: Subject.PAYMENT_ENDED,
    "payment_intent.canceled": lambda _: Subject.PAYMENT_ENDED,
    "charge.dispute.created": lambda _: Subject.DISPUTE,
    "charge.dispute.closed": lambda _: Subject.DISPUTE,
    "refund.created": lambda _: Subject.REFUND_MADE,
    "refund.failed": lambda _: Subject.REFUND_FAILED,
    # What older versions of the gateway's API send in place of refund.failed, and when anything changes.
    "charge.refund.updated": lambda refund: Subject.REFUND_FAILED if refund.status == "failed" else None,
}
_event_decoder = msgspec.json.Decoder(_Event)
_object_decoder = msgspec.json.Decoder(_Object)


def read_notice(body: bytes) -> GatewayNotice | None:
    """The event; None where it is of a type that nothing is done about. Raises WebhookRefused."""
    try:
        event = _event_decoder.decode(body)
        if event.type not in _SUBJECTS:
            return None
        subject_of, about = _SUBJECTS[event.type], _object_decoder.decode(event.data.object)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Without its cause, which may hold a part of the body.
        raise WebhookRefused("The body is not an event of the gateway.") from error
    subject = subject_of(about)
    return None if subject is None else _notice(event, subject, about)


def _notice(event: _Event, subject: Subject, about: _Object) -> GatewayNotice:
    metadata = about.metadata or {}
    is_payment = subject in {Subject.PAYMENT_TAKEN, Subject.PAYMENT_ENDED}
    return GatewayNotice(
        event_id=event.id,
        type=event.type,
        created_at=datetime.fromtimestamp(event.created, UTC),
        subject=subject,
        reference=about.id,
        payment_id=about.id if is_payment else about.payment_intent or "",
        order_id=parse_order_id(metadata.get("order_id", "")),
        attempt=_number(metadata.get("attempt", "")),
        refund=_number(metadata.get("refund", "")),
        amount=_amount(about),
        currency=(about.currency or "").upper(),
        code=printable(about.failure_reason or about.reason or "")[:MAX_CODE],
        summary=_summary(about),
    )


def _summary(about: _Object) -> str:
    """How the object is, in the gateway's words, without characters that steer a terminal."""
    told = (about.status, about.reason, about.failure_reason)
    return shortened(printable(", ".join(word.replace("_", " ") for word in told if word)), MAX_SUMMARY)


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _amount(about: _Object) -> Decimal | None:
    """The amount; None where the event names none, or no currency that is known."""
    if about.amount is None or about.currency is None:
        return None
    try:
        currency = about.currency.upper()
        return from_minor_units(from_stripe(about.amount, currency), currency)
    except ValueError:
        return None
