"""Who may read `/metrics` and the details of `/health/ready`.

This machine, addresses that the settings name, clients with the token, and staff in a browser. All others
learn only whether orders are taken.
"""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from web.addresses import client_address


def may_monitor(request: HttpRequest) -> bool:
    """Whether the figures and the servers' errors may be shown to this client."""
    return _is_from_monitor(request) or _has_token(request) or request.user.is_staff


def _is_from_monitor(request: HttpRequest) -> bool:
    """A request that a proxy passed on counts only where TRUSTED_PROXIES makes its address known."""
    if "HTTP_X_FORWARDED_FOR" in request.META and not settings.TRUSTED_PROXIES:
        return False
    address = client_address(request)
    if address is None:
        return False
    return any(ip_address(address) in ip_network(network) for network in settings.MONITOR_ADDRESSES)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    tokens = (settings.MONITOR_TOKEN, *settings.MONITOR_TOKEN_FALLBACKS)
    return any(token and constant_time_compare(sent.strip(), token) for token in tokens)
