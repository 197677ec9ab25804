"""The raw client of the payment gateway: the stripe library alone, in threads."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import stripe

from devtools.benchmarks.placing import VISA

_SECONDS = 30.0


class RawStripe:
    """Takes payments as the payment worker does, for orders that nobody has placed."""

    def __init__(self, address: str, secret_key: str) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": address},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=_SECONDS),
        )

    def rate(self, at_once: int, seconds: float) -> float:
        """Payments per second; each thread makes the next payment when the last one is answered."""
        started = time.monotonic()
        with ThreadPoolExecutor(at_once) as pool:
            counts = list(pool.map(lambda _: self._pay_until(started + seconds), range(at_once)))
        return sum(counts) / (time.monotonic() - started)

    def _pay_until(self, end: float) -> int:
        count = 0
        while time.monotonic() < end:
            self._pay()
            count += 1
        return count

    def _pay(self) -> None:
        order_id = str(uuid.uuid4())
        metadata = {"order_id": order_id, "order_number": f"RAW-{threading.get_ident()}", "attempt": "1"}
        self._client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "usd",
                "confirm": True,
                "payment_method": VISA,
                "error_on_requires_action": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "metadata": metadata,
            },
            {"idempotency_key": f"{order_id}:payment:1"},
        )
