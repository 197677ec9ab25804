"""From where a request comes."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


def client_address(request: HttpRequest | Request) -> str:
    """The address of the client: the connection's, or the one that TRUSTED_PROXIES proxies passed on.

    What a client writes into `X-Forwarded-For` itself is left of those and is not believed.
    """
    return str(BaseThrottle().get_ident(request) or "")  # type: ignore[arg-type]  # reads META alone
