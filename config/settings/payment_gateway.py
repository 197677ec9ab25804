"""Which of the settings for payments go together: checked at the start, before any order is taken."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

STRIPE_ITSELF = "https://api.stripe.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def require_sound_payments(*, secrets: Mapping[str, str], api_base: str, plain_http: bool) -> None:
    """Takes the two secrets by name, the address of the gateway, and whether plain HTTP is allowed.

    Raises ImproperlyConfigured with one sentence for a secret without the other, or an address that cannot be
    used or would send tokens in the open.
    """
    missing = [name for name, value in secrets.items() if not value]
    if len(missing) == 1:
        [other] = secrets.keys() - missing
        raise ImproperlyConfigured(f"{missing[0]} must be set where {other} is: payments need both.")
    _require_address(api_base, plain_http)


def require_silent_library(log_level: str) -> None:
    """Takes STRIPE_LOG, by which the library of the gateway prints its requests.

    Raises ImproperlyConfigured where tokens would be printed.
    """
    if log_level.strip().lower() in {"debug", "info"}:
        raise ImproperlyConfigured(
            f"STRIPE_LOG must not be {log_level!r}: the stripe library would print payment tokens."
        )


def _require_address(api_base: str, plain_http: bool) -> None:
    try:
        parts = urlsplit(api_base)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        is_address = False
    if not is_address or parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ImproperlyConfigured(
            f"STRIPE_API_BASE must be an address such as {STRIPE_ITSELF}, not {api_base!r}."
        )
    if parts.scheme != "https" and not plain_http and parts.hostname not in _LOOPBACK:
        raise ImproperlyConfigured(
            "STRIPE_API_BASE must be an https address: over plain HTTP tokens would travel in the open."
        )
