"""From where a request comes."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from web.households import household_of, parse_address


def client_address(request: HttpRequest | Request) -> str | None:
    """The address of the client: the connection's, or the one that TRUSTED_PROXIES proxies passed on.

    What a client writes into `X-Forwarded-For` itself is left of those and is not believed. One address has
    one form: without a port, an IPv4 address never as IPv6. None where there is none.
    """
    named = str(BaseThrottle().get_ident(request) or "")  # type: ignore[arg-type]  # reads META alone
    address = parse_address(_without_port(named))
    return str(address) if address else None


def counted_address(request: HttpRequest | Request) -> str | None:
    """The address that a throttle counts; of IPv6 the network, in which one client has all addresses."""
    address = client_address(request)
    return household_of(address) if address else None


def _without_port(text: str) -> str:
    """The address in `10.0.0.1:80` or `[::1]:80`, as some proxies write it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
