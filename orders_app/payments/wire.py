"""Stripe's objects, as far as they are read here, and what they mean (https://docs.stripe.com/api)."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from orders_app.document import PaymentFailure
from orders_app.payments.gateway import GatewayPayment, GatewayRefund, PaymentState

# Stripe counts these otherwise than ISO 4217: https://docs.stripe.com/currencies#special-cases
_SCALES = {"ISK": 100, "UGX": 100}

_STATES = {
    "succeeded": PaymentState.SUCCEEDED,
    "processing": PaymentState.PROCESSING,
    "requires_confirmation": PaymentState.PROCESSING,
}
_FAILED_REFUNDS = frozenset({"failed", "canceled"})
NEEDS_ACTION = PaymentFailure(
    "authentication_required",
    "Your bank asks for a confirmation that cannot be given here. Please pay by another means.",
)
CALLED_OFF = PaymentFailure("canceled", "The payment was called off. Please pay again.")
DECLINED = PaymentFailure("declined", "Your payment was declined. Please pay by another means.")
_NOT_ASKED_AGAIN = {"requires_action": NEEDS_ACTION, "canceled": CALLED_OFF}


class StripeFailure(Struct):
    """An error object: of an answer, or the last of a payment."""

    code: str | None = None
    decline_code: str | None = None
    message: str | None = None
    param: str | None = None


class PaymentIntent(Struct):
    """A PaymentIntent."""

    id: str
    status: str
    amount: int
    currency: str
    created: int
    metadata: dict[str, str] = field(default_factory=dict)
    last_payment_error: StripeFailure | None = None


class StripeRefund(Struct):
    """A Refund."""

    id: str
    amount: int
    currency: str
    payment_intent: str | None = None
    status: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def to_stripe(amount: int, currency: str) -> int:
    """An amount in minor units by ISO 4217, as Stripe counts this currency."""
    return amount * _SCALES.get(currency, 1)


def from_stripe(amount: int, currency: str) -> int:
    """The reverse of `to_stripe`."""
    return amount // _SCALES.get(currency, 1)


def payment_of(found: Any) -> GatewayPayment:
    """The payment that an object of Stripe's is. Raises msgspec.ValidationError where it is none."""
    intent = msgspec.convert(found, PaymentIntent)
    currency = intent.currency.upper()
    state = _STATES.get(intent.status, PaymentState.FAILED)
    return GatewayPayment(
        id=intent.id,
        state=state,
        amount=from_stripe(intent.amount, currency),
        currency=currency,
        order_id=intent.metadata.get("order_id", ""),
        attempt=intent.metadata.get("attempt", ""),
        created_at=datetime.fromtimestamp(intent.created, UTC),
        failure=_failure_of(intent) if state == PaymentState.FAILED else None,
    )


def failure_of(error: StripeFailure) -> PaymentFailure:
    """Why a card was declined; Stripe words the message for customers."""
    code = error.decline_code or error.code or DECLINED.code
    return PaymentFailure(code[:40], error.message or DECLINED.detail)


def refund_of(found: Any) -> GatewayRefund:
    """The refund that an object of Stripe's is. Raises msgspec.ValidationError where it is none.

    A refund that is pending counts as given back: Stripe has taken it from the shop.
    """
    refund = msgspec.convert(found, StripeRefund)
    currency = refund.currency.upper()
    return GatewayRefund(
        id=refund.id,
        payment_id=refund.payment_intent or "",
        amount=from_stripe(refund.amount, currency),
        currency=currency,
        number=refund.metadata.get("refund", ""),
        has_failed=refund.status in _FAILED_REFUNDS,
    )


def _failure_of(intent: PaymentIntent) -> PaymentFailure:
    if intent.last_payment_error is not None:
        return failure_of(intent.last_payment_error)
    return _NOT_ASKED_AGAIN.get(intent.status, DECLINED)
