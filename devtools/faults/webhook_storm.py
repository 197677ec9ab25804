"""A fault that kills nothing: hundreds of webhooks at once, some of them false, unknown or forged."""

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NamedTuple

from devtools.faults.client import new_http_client
from devtools.faults.system import Misbehaved, System
from devtools.payment_sandbox.webhooks import sign

_WEBHOOKS, _AT_ONCE = 400, 16
_RECENT_SECONDS = 60.0
_DOOR = "/api/v1/payments/webhook/"
_TOLERANCE_SECONDS = 300
_KINDS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.canceled",
    "charge.refunded",
    "invoice.paid",
)


class Webhook(NamedTuple):
    """A body with its signature, and whether the door may take it."""

    body: bytes
    signature: str
    is_signed: bool


def storm(system: System, rng: random.Random) -> None:
    """Sends webhooks that lie about recent payments, and others that are of nobody or forged.

    Each is sent twice. Raises Misbehaved where the door takes a forged one, or refuses another.
    """
    webhooks = [webhook for webhook in _webhooks(system, rng) for _ in range(2)]
    rng.shuffle(webhooks)
    with new_http_client(system.shop.web_url) as http, ThreadPoolExecutor(_AT_ONCE) as pool:

        def send(webhook: Webhook) -> int:
            headers = {"Stripe-Signature": webhook.signature, "Content-Type": "application/json"}
            return http.post(_DOOR, content=webhook.body, headers=headers).status_code

        for webhook, status in zip(webhooks, pool.map(send, webhooks), strict=True):
            expected = HTTPStatus.OK if webhook.is_signed else HTTPStatus.BAD_REQUEST
            if status != expected:
                raise Misbehaved(f"a webhook was answered {status}, not {expected}: {webhook}")


def _webhooks(system: System, rng: random.Random) -> Iterator[Webhook]:
    secret = system.stack.env["STRIPE_WEBHOOK_SECRET"]
    payments = system.books.payments(time.time() - _RECENT_SECONDS)
    known = [(payment.payment_id, payment.order_id) for payment in payments]
    for number in range(_WEBHOOKS):
        payment_id, order_id = rng.choice([*known, (f"pi_of_nobody_{number}", "")])
        body = json.dumps(_event(payment_id, order_id, rng)).encode()
        sent_at = int(time.time())
        match rng.randrange(10):
            case 0:
                yield Webhook(body, sign(body, "whsec_forged", sent_at), is_signed=False)
            case 1:
                yield Webhook(body, sign(body, secret, sent_at - 2 * _TOLERANCE_SECONDS), is_signed=False)
            case _:
                yield Webhook(body, sign(body, secret, sent_at), is_signed=True)


def _event(payment_id: str, order_id: str, rng: random.Random) -> dict[str, Any]:
    """An event that says of a payment what may be false."""
    return {
        "id": f"evt_{rng.getrandbits(96):024x}",
        "object": "event",
        "api_version": None,
        "created": int(time.time()) - rng.randrange(100),
        "data": {
            "object": {
                "id": payment_id,
                "object": "payment_intent",
                "amount": rng.randrange(1, 100_000),
                "amount_received": rng.randrange(1, 100_000),
                "currency": "usd",
                "metadata": {"order_id": order_id, "order_number": "", "attempt": "1"},
                "status": rng.choice(["succeeded", "requires_payment_method", "canceled", "processing"]),
            }
        },
        "livemode": False,
        "type": rng.choice(_KINDS),
    }
