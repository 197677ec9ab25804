"""How the stripe library's requests travel: over connections that stay open, each with a bound in time."""

from collections.abc import Mapping
from typing import Any

import stripe
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as TimedOut

CONNECT_SECONDS = 2
CONNECTIONS = 64


class HttpClient(stripe.HTTPClient):
    """The library's own clients do the same with twice the work for each request."""

    name = "urllib3"

    def __init__(self, answer_seconds: float) -> None:
        super().__init__()
        self._pool = urllib3.PoolManager(
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
            is_lost = not isinstance(error, NewConnectionError | TimedOut)
            raise stripe.APIConnectionError(type(error).__name__, should_retry=is_lost) from None  # type: ignore[no-untyped-call]
        return answer.data.decode(errors="replace"), answer.status, answer.headers

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()
