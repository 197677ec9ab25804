"""Where the pages of a request find the sockets."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

SOCKETS_PATH = "/ws/orders/"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def sockets_origin(request: HttpRequest) -> str:
    """The scheme, host and port of the sockets: PUBLIC_WS_URL, or the address of the page itself.

    On one machine, the host is the one by which the page was opened, because cookies belong to its name.
    Raises DisallowedHost.
    """
    here = urlsplit(f"//{request.get_host()}")
    if not settings.PUBLIC_WS_URL:
        return f"{'wss' if request.is_secure() else 'ws'}://{here.netloc}"
    given = urlsplit(settings.PUBLIC_WS_URL)
    if {given.hostname, here.hostname} <= LOOPBACK and given.port:
        host = here.netloc.removesuffix(f":{here.port}")
        return f"{given.scheme}://{host}:{given.port}"
    return str(settings.PUBLIC_WS_URL)


def sockets_url(request: HttpRequest) -> str:
    """The address that the pages of this request connect to. Raises DisallowedHost."""
    return sockets_origin(request) + SOCKETS_PATH
