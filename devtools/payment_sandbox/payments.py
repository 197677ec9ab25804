"""PaymentIntents: https://docs.stripe.com/api/payment_intents. Created, confirmed and captured at once."""

import secrets
import time
from typing import Any

from devtools.payment_sandbox.books import Entries, Object
from devtools.payment_sandbox.currencies import currency_of
from devtools.payment_sandbox.errors import GatewayError
from devtools.payment_sandbox.form import amount_of, metadata_of, require_known, required
from devtools.payment_sandbox.tokens import Decline, Token, token_named
from devtools.payment_sandbox.webhooks import Schedule

_KNOWN = frozenset(
    [
        "amount",
        "automatic_payment_methods",
        "confirm",
        "currency",
        "description",
        "error_on_requires_action",
        "expand",
        "metadata",
        "off_session",
        "payment_method",
        "payment_method_types",
        "receipt_email",
        "return_url",
    ]
)
_PAYMENT, _CHARGE = "pi", "ch"
_NEEDS_ACTION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)


def new_id(prefix: str) -> str:
    """An identifier in the form of Stripe's."""
    return f"{prefix}_{secrets.token_hex(12)}"


def create_payment(entries: Entries, schedule: Schedule, form: dict[str, Any]) -> Object:
    """Creates a payment and confirms it; gives it as it is then.

    Raises GatewayError: 400 for wrong parameters, with nothing written; 402 for a decline, which is written.
    """
    payment, token = _new_payment(form)
    entries.add(payment)
    if token.by_webhook:
        payment["status"] = "processing"
        entries.replace(payment)
        entries.add_ending(payment["id"], schedule.later())
        return payment
    declined = (
        _NEEDS_ACTION
        if token.needs_action and form.get("error_on_requires_action") == "true"
        else token.decline
    )
    if declined is not None:
        raise _decline(entries, schedule, payment, declined)
    if token.needs_action:
        payment["status"] = "requires_action"
        payment["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        entries.replace(payment)
        schedule.tell(entries, "payment_intent.requires_action", payment)
        return payment
    succeed(entries, schedule, payment)
    if token.disputed:
        schedule.tell(entries, "charge.dispute.created", _dispute_of(payment))
    return payment


def succeed(entries: Entries, schedule: Schedule, payment: Object) -> None:
    """The money is taken."""
    payment |= {
        "status": "succeeded",
        "amount_received": payment["amount"],
        "latest_charge": _CHARGE + payment["id"].removeprefix(_PAYMENT),
    }
    entries.replace(payment)
    schedule.tell(entries, "payment_intent.succeeded", payment)


def charge_of(entries: Entries, payment: Object) -> Object:
    """The charge of a payment that has succeeded, with what was given back of it."""
    returned = sum(
        refund["amount"] for refund in entries.children(payment["id"]) if refund["status"] != "failed"
    )
    return {
        "id": payment["latest_charge"],
        "object": "charge",
        "amount": payment["amount"],
        "amount_captured": payment["amount_received"],
        "amount_refunded": returned,
        "captured": True,
        "created": payment["created"],
        "currency": payment["currency"],
        "livemode": False,
        "metadata": payment["metadata"],
        "paid": True,
        "payment_intent": payment["id"],
        "payment_method": payment["payment_method"],
        "refunded": returned == payment["amount"],
        "status": "succeeded",
    }


def find_payment(entries: Entries, identifier: str) -> Object:
    """The payment with this id. Raises GatewayError if there is none."""
    payment = entries.find("payment_intent", identifier)
    if payment is None:
        raise GatewayError(
            404, f"No such payment_intent: '{identifier}'", code="resource_missing", param="intent"
        )
    return payment


def find_charged(entries: Entries, charge: str) -> Object:
    """The payment whose charge has this id. Raises GatewayError if there is none."""
    payment = entries.find("payment_intent", _PAYMENT + charge.removeprefix(_CHARGE))
    if payment is None or payment["latest_charge"] != charge:
        raise GatewayError(404, f"No such charge: '{charge}'", code="resource_missing", param="charge")
    return payment


def _new_payment(form: dict[str, Any]) -> tuple[Object, Token]:
    require_known(form, _KNOWN)
    amount, currency = amount_of(form), currency_of(required(form, "currency"))
    if required(form, "confirm") != "true":
        raise GatewayError(
            400, "The sandbox only creates payments that are confirmed at once.", param="confirm"
        )
    method = required(form, "payment_method")
    token = token_named(method)
    identifier = new_id(_PAYMENT)
    payment = {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{identifier}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": int(time.time()),
        "currency": currency,
        "description": form.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata_of(form),
        "next_action": None,
        "payment_method": method,
        "payment_method_types": ["card"],
        "receipt_email": form.get("receipt_email"),
        "status": "requires_confirmation",
    }
    return payment, token


def _decline(entries: Entries, schedule: Schedule, payment: Object, decline: Decline) -> GatewayError:
    fields = {
        "code": decline.code,
        "payment_method": {"id": payment["payment_method"], "object": "payment_method"},
    }
    if decline.decline_code:
        fields["decline_code"] = decline.decline_code
    payment |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {"type": "card_error", "message": decline.message, **fields},
    }
    entries.replace(payment)
    schedule.tell(entries, "payment_intent.payment_failed", payment)
    return GatewayError(402, decline.message, kind="card_error", **fields, payment_intent=payment)


def _dispute_of(payment: Object) -> Object:
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": payment["amount"],
        "charge": payment["latest_charge"],
        "created": int(time.time()),
        "currency": payment["currency"],
        "livemode": False,
        "metadata": {},
        "payment_intent": payment["id"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
