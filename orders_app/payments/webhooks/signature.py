"""The signature of a webhook: https://docs.stripe.com/webhooks#verify-manually.

Not the stripe library's own check: importing the library takes half a second and 25 MB of each web process,
its errors carry the body, in which tokens are, and a header that is not ASCII makes it fail.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from orders_app.exceptions import WebhookRefused

TOLERANCE_SECONDS = 300
_MAX_HEADER = 2_000
_TIME = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class _Signed(NamedTuple):
    """When a body was signed, and its signatures, one for each secret that is valid."""

    time: str
    signatures: list[str]


def require_signature(body: bytes, header: str, secrets: Sequence[str], now: float) -> None:
    """Raise WebhookRefused unless `header` signs the body with one of them, within 5 minutes of `now`."""
    if not secrets:
        raise WebhookRefused("This installation has no webhook secret, so it takes no webhooks.")
    signed = _read(header)
    expected = [_signature(body, signed.time, secret) for secret in secrets]
    if not any(hmac.compare_digest(*pair) for pair in product(expected, signed.signatures)):
        raise WebhookRefused("No signature of the header Stripe-Signature is right for this body.")
    if abs(now - int(signed.time)) > TOLERANCE_SECONDS:
        raise WebhookRefused("The signature is more than 5 minutes old, or of a time to come.")


def _signature(body: bytes, time: str, secret: str) -> str:
    return hmac.digest(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hex()


def _read(header: str) -> _Signed:
    """The parts of the header Stripe-Signature; schemes other than v1 do not count. Raises WebhookRefused."""
    if not header:
        raise WebhookRefused("There is no header Stripe-Signature.")
    parts = [part.strip().partition("=") for part in header[:_MAX_HEADER].split(",")]
    times = [value for name, _, value in parts if name == "t" and _TIME.fullmatch(value)]
    signatures = [value for name, _, value in parts if name == "v1" and _SIGNATURE.fullmatch(value)]
    if not times or not signatures:
        raise WebhookRefused("The header Stripe-Signature has no time (t) or no signature (v1).")
    return _Signed(times[0], signatures)
