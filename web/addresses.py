"""From where a request comes."""

from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from web.households import household_of, parse_address

ADDRESSES_REMEMBERED = 10_000
LONGEST_REMEMBERED = 64


def client_address(request: HttpRequest | Request) -> str | None:
    """The address of the client: the connection's, or the one that TRUSTED_PROXIES proxies passed on.

    What a client writes into `X-Forwarded-For` itself is left of those and is not believed. One address has
    one form: without a port, an IPv4 address never as IPv6. None where there is none.
    """
    return _address(_named(request))


def counted_address(request: HttpRequest | Request) -> str | None:
    """The address that a throttle counts; of IPv6 the network, in which one client has all addresses."""
    return _household(_named(request)[:LONGEST_REMEMBERED])


def _named(request: HttpRequest | Request) -> str:
    passed_on = request.META.get("HTTP_X_FORWARDED_FOR")
    if settings.TRUSTED_PROXIES and passed_on:
        addresses = passed_on.split(",")
        return str(addresses[-min(settings.TRUSTED_PROXIES, len(addresses))].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


def _address(named: str) -> str | None:
    address = parse_address(_without_port(named))
    return str(address) if address else None


@lru_cache(ADDRESSES_REMEMBERED)
def _household(named: str) -> str | None:
    """Remembered, because reading an address takes longer than counting it."""
    address = _address(named)
    return household_of(address) if address else None


def _without_port(text: str) -> str:
    """The address in `10.0.0.1:80` or `[::1]:80`, as some proxies write it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
