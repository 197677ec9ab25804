"""Refunds: https://docs.stripe.com/api/refunds. Never more than was taken."""

import time
from typing import Any

from devtools.payment_sandbox.books import Entries, Object
from devtools.payment_sandbox.errors import GatewayError
from devtools.payment_sandbox.form import amount_of, metadata_of, require_known, required
from devtools.payment_sandbox.payments import charge_of, find_charged, find_payment, new_id
from devtools.payment_sandbox.tokens import token_named
from devtools.payment_sandbox.webhooks import Schedule

_KNOWN = frozenset(("amount", "charge", "expand", "metadata", "payment_intent", "reason"))
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create_refund(entries: Entries, schedule: Schedule, form: dict[str, Any]) -> Object:
    """Gives back a part of a payment, or all that is left of it. Raises GatewayError where that cannot be."""
    require_known(form, _KNOWN)
    if form.get("reason", _REASONS[0]) not in _REASONS:
        raise GatewayError(400, f"Invalid reason: must be one of {', '.join(_REASONS)}", param="reason")
    payment = _payment(entries, form)
    refund = _new_refund(payment, _amount(entries, payment, form), form)
    entries.add(refund, parent=payment["id"])
    schedule.tell(entries, "refund.created", refund)
    schedule.tell(entries, "charge.refunded", charge_of(entries, payment))
    if token_named(payment["payment_method"]).refund_fails:
        entries.add_ending(refund["id"], schedule.later())
    return refund


def fail_refund(entries: Entries, schedule: Schedule, refund: Object) -> None:
    """The bank has refused what was given back: the money is with the merchant again."""
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    entries.replace(refund)
    schedule.tell(entries, "refund.failed", refund)


def find_refund(entries: Entries, identifier: str) -> Object:
    """The refund with this id. Raises GatewayError if there is none."""
    refund = entries.find("refund", identifier)
    if refund is None:
        raise GatewayError(404, f"No such refund: '{identifier}'", code="resource_missing", param="refund")
    return refund


def _payment(entries: Entries, form: dict[str, Any]) -> Object:
    """The payment that the form names, by its own id or that of its charge."""
    if "charge" not in form and "payment_intent" not in form:
        raise GatewayError(
            400,
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    named = [
        find(entries, required(form, name))
        for name, find in (("charge", find_charged), ("payment_intent", find_payment))
        if name in form
    ]
    if named[0] != named[-1]:
        raise GatewayError(
            400, "The charge does not belong to the payment_intent that was given.", param="charge"
        )
    return named[0]


def _amount(entries: Entries, payment: Object, form: dict[str, Any]) -> int:
    if payment["status"] != "succeeded":
        raise GatewayError(
            400, f"This PaymentIntent ({payment['id']}) does not have a successful charge to refund."
        )
    charge = charge_of(entries, payment)
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise GatewayError(
            400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = amount_of(form) if "amount" in form else left
    if amount > left:
        raise GatewayError(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    return amount


def _new_refund(payment: Object, amount: int, form: dict[str, Any]) -> Object:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": payment["latest_charge"],
        "created": int(time.time()),
        "currency": payment["currency"],
        "metadata": metadata_of(form),
        "payment_intent": payment["id"],
        "reason": form.get("reason"),
        "status": "succeeded",
    }
