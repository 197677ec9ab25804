"""Webhooks as the gateway sends them: events about payments, disputes and refunds, signed by it."""

import hmac
import itertools
import json
import time
from typing import Any

from orders_app.document import OrderDocument
from tests.wsgi_client import WsgiClient

SECRET = "whsec_of_these_tests"
PATH = "/api/v1/payments/webhook/"
TOKEN = "pm_in_the_gateways_event"

_numbers = itertools.count(1)


def event(kind: str, subject: Any, identifier: str = "", **changes: object) -> dict[str, Any]:
    """An event of this type about this object, with an id of its own unless it is given."""
    frame = {
        "id": identifier or f"evt_{next(_numbers)}",
        "object": "event",
        "api_version": "2026-01-28",
        "created": int(time.time()),
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    return frame | changes


def payment(
    order: OrderDocument | None, attempt: object = 1, payment_id: str = "pi_1", **changes: object
) -> dict[str, Any]:
    """A payment for this attempt of the order, or one that names no order."""
    names = {"order_id": str(order.id), "order_number": order.order_number} if order else {}
    return {
        "id": payment_id,
        "object": "payment_intent",
        "amount": 2000,
        "currency": "usd",
        "latest_charge": "ch_1",
        "metadata": names | ({"attempt": str(attempt)} if order else {}),
        "payment_method": TOKEN,
        "status": "succeeded",
    } | changes


def dispute(payment_id: str = "pi_1", **changes: object) -> dict[str, Any]:
    """A dispute about this payment."""
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 2000,
        "charge": "ch_1",
        "currency": "usd",
        "metadata": {},
        "payment_intent": payment_id,
        "reason": "fraudulent",
        "status": "needs_response",
    } | changes


def refund(
    order: OrderDocument | None, number: object = 1, payment_id: str = "pi_1", **changes: object
) -> dict[str, Any]:
    """A refund that the order asked for by this number, or one that somebody made at the gateway."""
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "charge": "ch_1",
        "currency": "usd",
        "metadata": {"order_id": str(order.id), "refund": str(number)} if order else {},
        "payment_intent": payment_id,
        "reason": None,
        "status": "succeeded",
    } | changes


def signature(body: bytes, secret: str = SECRET, seconds_ago: float = 0) -> str:
    """The header of the gateway for this body."""
    moment = int(time.time() - seconds_ago)
    signed = hmac.digest(secret.encode(), f"{moment}.".encode() + body, "sha256").hex()
    return f"t={moment},v1={signed}"


def send(content: Any, header: str | None = None) -> Any:
    """Sends a webhook: bytes as they are, anything else as JSON; signed by the gateway unless told how."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Stripe-Signature": signature(body) if header is None else header}
    return WsgiClient().generic(
        "POST",
        PATH,
        body,  # type: ignore[arg-type]  # bytes are sent as they are
        content_type="application/json; charset=utf-8",
        headers={name: value for name, value in headers.items() if value},
    )
