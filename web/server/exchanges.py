"""Requests that the application answers on the event loop, without a thread for each.

An application of WSGI offers this by a method `exchange_of(environ)` too. It is called on the event loop with
a request that is complete, and returns None where the request is for the threads, else a function: this gets
the exchange, begins the work, and waits for nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol
from wsgiref.types import WSGIEnvironment

import structlog

from foundation.logging import lines_written_together
from web.server.answers import head_bytes
from web.server.limits import REQUESTS_WAITING
from web.server.request import Request

Begin = Callable[["Exchange"], None]

log = structlog.get_logger(__name__)


class Client(Protocol):
    """The connection, as an exchange uses it, on the event loop."""

    loop: asyncio.AbstractEventLoop

    def on_answer(self, request: Request, answer: bytes) -> None: ...
    def on_failure(self, request: Request) -> None: ...
    def on_overload(self, request: Request) -> None: ...


class Exchanges:
    """All exchanges of a process."""

    def __init__(self, application: object) -> None:
        self._offer: Callable[[WSGIEnvironment], Begin | None]
        self._offer = getattr(application, "exchange_of", lambda _: None)
        self._due: deque[tuple[Exchange, Callable[[], None]]] = deque()
        self._is_called = False
        self.open = 0
        self.ended = 0

    def begin(self, client: Client, request: Request) -> bool:
        """Offer a request to the application. False where it is for the threads."""
        try:
            begin = self._offer(request.whole())
        except Exception:
            log.exception("request failed")
            client.on_failure(request)
            return True
        if begin is None:
            return False
        if self.open >= REQUESTS_WAITING:
            client.on_overload(request)
            return True
        exchange = Exchange(self, client, request)
        self.open += 1
        self._call(exchange, lambda: begin(exchange))
        return True

    def soon(self, exchange: "Exchange", call: Callable[[], None]) -> None:
        """Have this called on the event loop; many calls of a thread wake the loop once."""
        self._due.append((exchange, call))
        if not self._is_called:
            self._is_called = True
            exchange.client.loop.call_soon_threadsafe(self._call_due)

    def _call_due(self) -> None:
        self._is_called = False
        with lines_written_together():
            for _ in range(len(self._due)):
                self._call(*self._due.popleft())

    def _call(self, exchange: "Exchange", call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            log.exception("request failed")
            if not exchange.ended:
                self.end(exchange)
                exchange.client.on_failure(exchange.request)

    def end(self, exchange: "Exchange") -> None:
        """This exchange has its answer."""
        exchange.ended = True
        self.open -= 1
        self.ended += 1


class Exchange:
    """One request, and the way to its answer."""

    __slots__ = ("_exchanges", "client", "ended", "request")

    def __init__(self, exchanges: Exchanges, client: Client, request: Request) -> None:
        self._exchanges, self.client, self.request = exchanges, client, request
        self.ended = False

    def soon(self, call: Callable[[], None]) -> None:
        """Have this called on the event loop, where it answers; from any thread."""
        self._exchanges.soon(self, call)

    def answer(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        """Send the whole answer; `headers` declare its length. On the event loop, once."""
        head = head_bytes(status, headers, close=not self.request.keep_alive)
        self._exchanges.end(self)
        self.client.on_answer(self.request, head + content)
