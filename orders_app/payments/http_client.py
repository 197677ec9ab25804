"""How the stripe library's requests travel: over connections that stay open, each with a bound in time."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import stripe
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError
from urllib3.exceptions import TimeoutError as TimedOut

CONNECT_SECONDS = 2
CONNECTIONS = 64
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _pool(address: str, **options: Any) -> urllib3.PoolManager:
    """Connections to this address; through the proxy that HTTPS_PROXY names, unless NO_PROXY excepts it."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    proxy = "" if host in LOOPBACK or proxy_bypass(host) else getproxies().get(parts.scheme, "")
    if not proxy:
        return urllib3.PoolManager(**options)
    named = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    password = unquote(f"{named.username}:{named.password or ''}") if named.username else None
    return urllib3.ProxyManager(
        named._replace(netloc=named.netloc.rpartition("@")[2]).geturl(),
        proxy_headers=urllib3.make_headers(proxy_basic_auth=password),
        **options,
    )


class HttpClient(stripe.HTTPClient):
    """The library's own clients do the same with twice the work for each request."""

    name = "urllib3"

    def __init__(self, address: str, answer_seconds: float) -> None:
        super().__init__()
        self._pool = _pool(
            address,
            maxsize=CONNECTIONS,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=answer_seconds),
            ca_certs=stripe.ca_bundle_path,
        )

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request. Raises APIConnectionError; `should_retry` where the connection was lost on the way."""
        try:
            answer = self._pool.request(method.upper(), url, body=post_data, headers=headers)
        except HTTPError as error:
            # Without its text, which may name parameters; and a server that is away or slow stays so.
            is_lost = not isinstance(error, NewConnectionError | ProxyError | TimedOut)
            raise stripe.APIConnectionError(type(error).__name__, should_retry=is_lost) from None  # type: ignore[no-untyped-call]
        return answer.data.decode(errors="replace"), answer.status, answer.headers

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()
