"""The test tokens: what becomes of a payment with each.

Named as in https://docs.stripe.com/testing; those that begin with `pm_sandbox_` are our own.
"""

import re
from dataclasses import dataclass

from devtools.payment_sandbox.errors import GatewayError


@dataclass(frozen=True)
class Decline:
    """Why a card was declined, in Stripe's codes, with Stripe's sentence for customers."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Token:
    """What becomes of a payment: by default it succeeds and is answered at once."""

    decline: Decline | None = None
    needs_action: bool = False
    by_webhook: bool = False
    refund_fails: bool = False
    disputed: bool = False
    loses_answer: bool = False
    delay_seconds: float = 0
    unavailable_times: int = 0


def _declined(decline_code: str, message: str = "Your card was declined.") -> Token:
    return Token(decline=Decline("card_declined", decline_code, message))


_TOKENS = {
    "pm_card_visa": Token(),
    "pm_card_mastercard": Token(),
    "pm_card_amex": Token(),
    "pm_card_chargeDeclined": _declined("generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": _declined(
        "insufficient_funds", "Your card has insufficient funds."
    ),
    "pm_card_chargeDeclinedFraudulent": _declined("fraudulent"),
    "pm_card_chargeDeclinedLostCard": _declined("lost_card"),
    "pm_card_chargeDeclinedStolenCard": _declined("stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": Token(
        decline=Decline("expired_card", None, "Your card has expired.")
    ),
    "pm_card_chargeDeclinedIncorrectCvc": Token(
        decline=Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
    ),
    "pm_card_chargeDeclinedProcessingError": Token(
        decline=Decline("processing_error", None, "An error occurred while processing your card.")
    ),
    "pm_card_authenticationRequired": Token(needs_action=True),
    "pm_card_createDispute": Token(disputed=True),
    "pm_card_refundFail": Token(refund_fails=True),
    "pm_sandbox_lost_answer": Token(loses_answer=True),
    "pm_sandbox_webhook_only": Token(by_webhook=True),
}
_SLOW = re.compile(r"pm_sandbox_slow_([0-9]{1,3}(?:\.[0-9]{1,3})?)")
_UNAVAILABLE = re.compile(r"pm_sandbox_unavailable_([0-9]{1,3})")


def token_named(name: str) -> Token:
    """What this token does. Raises GatewayError, as Stripe answers for an unknown payment method."""
    if name in _TOKENS:
        return _TOKENS[name]
    if found := _SLOW.fullmatch(name):
        return Token(delay_seconds=float(found[1]))
    if found := _UNAVAILABLE.fullmatch(name):
        return Token(unavailable_times=int(found[1]))
    raise GatewayError(
        400, f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method"
    )
