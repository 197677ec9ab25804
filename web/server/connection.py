"""One connection: reads requests whole, has them answered in turn, and keeps its client to its time."""

import asyncio
import threading
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from foundation.metrics import HTTP_CONNECTIONS, HTTP_CONNECTIONS_CLOSED
from web.households import household_of
from web.server.answers import refusal_bytes
from web.server.file_body import FileBody
from web.server.limits import (
    MOST_REQUESTS_AHEAD,
    ON_ITS_WAY_SECONDS,
    PATIENCE_SECONDS,
    REQUESTS_AHEAD,
)
from web.server.patience import NEVER, PatientConnection
from web.server.reading import RequestReader
from web.server.refusals import (
    BODY_TIMEOUT,
    EXPECTATION,
    FAILED,
    HEAD_TIMEOUT,
    OVERLOADED,
    REFUSAL,
    TOO_LARGE,
    TOO_MANY_AHEAD,
    Refusal,
    record_refusal,
)
from web.server.request import Request, base_environ

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from web.server.web_process import WebProcess

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OF_BODIES = {TOO_LARGE, EXPECTATION, BODY_TIMEOUT}
"""Refusals of requests whose head was understood."""


class HttpConnection(PatientConnection):
    """The protocol that uvicorn's server makes for each connection. All of it runs on the event loop."""

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(cast("WebProcess", config.loaded_app))
        self.server_state = server_state
        self.loop = _loop or asyncio.get_running_loop()
        self.gone = False
        # The request that is answered, and those read meanwhile.
        self._answering: Request | None = None
        self._ahead: deque[Request] = deque()
        # The request for whose rest the connection waits, and whether its head is there.
        self._awaited: tuple[Request, bool] | None = None
        # Whether the connection ends with the requests that were read.
        self._last = False
        # Whether it has had a request.
        self._has_asked = False

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection; close it where there is no place for it."""
        super().connection_made(transport)
        HTTP_CONNECTIONS.inc()
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        self.address = household_of(address)
        self._reader = RequestReader(self.process, base_environ(address, own), self._take_request)
        self.server_state.connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own classes
        if self.process.add(self, self.loop):
            self._wait(self.limits.head_seconds)
        else:
            HTTP_CONNECTIONS_CLOSED.labels("limit").inc()
            self._sender.write(refusal_bytes(*OVERLOADED))
            self._linger()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all that belongs to the connection."""
        self.gone = True
        HTTP_CONNECTIONS.dec()
        self.server_state.connections.discard(self)
        self.process.remove(self)
        for request in (self._reader.request, self._answering, *self._ahead):
            if request:
                self._let_go(request)
        self._ahead.clear()
        self._reader.request = None
        self._reader.close()
        self._sender.end()

    def eof_received(self) -> bool:
        """The client sends no more; it still gets the answers to what it has sent."""
        self._last = self._deaf = True
        return self._is_busy

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        if self._deaf:
            self._read_away(data)
            return
        if not self._reader.feed(data):
            self._last = self._deaf = True
        if self._reader.request and not self._is_busy:
            self._go_on_reading(self._reader.request)
        if self._reader.refusal:
            self._refuse(self._reader.refusal)

    def _go_on_reading(self, request: Request) -> None:
        """What has arrived is no whole request."""
        if self._awaited != (request, request.head_complete):
            self._await_rest(request)
        self._ask_in_time(monotonic())

    def pause_writing(self) -> None:
        """The client reads slower than it is sent to."""
        self._sender.paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._sender.resume()
        self._next()

    # Answering.

    @property
    def _is_busy(self) -> bool:
        """Whether requests are not answered yet that have been read."""
        return self._answering is not None or bool(self._ahead)

    def _take_request(self, request: Request) -> None:
        if self._answering is request:  # its head is being checked, and then it goes on
            return
        if not self._is_busy and not self._sender.paused:
            self._answer(request)
            return
        self._ahead.append(request)
        if len(self._ahead) > MOST_REQUESTS_AHEAD:
            self._reader.refusal = TOO_MANY_AHEAD
        elif len(self._ahead) == REQUESTS_AHEAD:
            self._transport.pause_reading()

    def _answer(self, request: Request, *, head_alone: bool = False) -> None:
        self._answering = request
        self._has_asked = True
        self._deadline = NEVER
        self.process.counted.work(self)
        if not head_alone and self.process.exchanges.begin(self, request):
            return
        if not self.process.threads.submit(self, request, head_alone=head_alone):
            self.on_overload(request)

    def on_answer(self, request: Request, answer: bytes) -> None:
        """The whole answer, from a thread."""
        if not self._lingers:
            self._sender.write(answer)
            self._end_answer(request)

    def on_part(self, part: bytes, taken: threading.Event) -> None:
        """A part of an answer, from a thread that waits until it may make the next."""
        if not self._lingers:
            self._sender.write(part)
        self._sender.await_taken(taken)

    def on_end(self, request: Request, *, complete: bool) -> None:
        """All parts have been sent; an answer that breaks off must not look like a complete one."""
        if self._lingers:
            return
        if complete:
            self._end_answer(request)
        elif not self.gone:
            self._transport.abort()

    def on_file(self, request: Request, head: bytes, file: FileBody) -> None:
        """An answer whose body is a file."""
        if self._lingers:
            file.close()
            return
        self._sender.write(head)
        if request.method == "HEAD" or self.gone:
            file.close()
            self._end_answer(request)
        else:
            self._sender.send_file(file, partial(self._end_answer, request))

    def on_body_awaited(self, request: Request) -> None:
        """The head alone is no reason to refuse the request."""
        self._answering = None
        if self.gone or self._lingers:
            return
        if self._reader.refusal:
            self._refuse(self._reader.refusal)
            return
        if request.complete:
            self._answer(request)
            return
        if self._deaf:  # the client has ended its part in the middle of the body
            self._transport.close()
            return
        if request.expects_continue and not request.body_bytes:
            self._sender.write(CONTINUE)
        self._wait(request.body_deadline - monotonic())

    def on_failure(self, request: Request) -> None:
        """The application has raised."""
        self._refuse_answering(request, FAILED)

    def on_overload(self, request: Request) -> None:
        """Too many requests wait, or too many answers are sent."""
        self._refuse_answering(request, OVERLOADED)

    def _refuse_answering(self, request: Request, refusal: Refusal) -> None:
        if not self.gone:
            record_refusal(request, refusal[0])
            self._last = self._deaf = True
            self.on_answer(request, refusal_bytes(*refusal))

    def _end_answer(self, request: Request) -> None:
        self._let_go(request)
        self._answering = None
        self.server_state.total_requests += 1
        if self.gone:
            return
        if not request.complete:  # refused without its body
            self._linger()
        elif self._last_answer(request):
            self._linger() if self._reader.request else self._transport.close()
        elif self._ahead:
            # Not from here: a chain of requests that are answered as they begin would end the stack.
            self.loop.call_soon(self._next)
        elif self._reader.refusal:
            self._refuse(self._reader.refusal)
        else:
            self._await_client()

    def _last_answer(self, request: Request) -> bool:
        is_on_its_way = self._reader.request is not None and not self._deaf
        return not request.keep_alive or (self._last and not self._ahead and not is_on_its_way)

    def _next(self) -> None:
        """Answer the next request, once the client has read the answers before it."""
        if self._sender.paused or self._answering or not self._ahead:
            return
        request = self._ahead.popleft()
        if len(self._ahead) == REQUESTS_AHEAD - 1:
            self._transport.resume_reading()
        self._answer(request)

    def _await_client(self) -> None:
        if self._reader.request is None:
            self._wait(self.limits.idle_seconds)
        else:
            self._await_rest(self._reader.request)

    def _await_rest(self, request: Request) -> None:
        self._awaited = (request, request.head_complete)
        self._wait(self.limits.body_seconds if request.head_complete else self.limits.head_seconds)

    def _let_go(self, request: Request) -> None:
        self.process.body_bytes -= request.body_bytes
        request.body_bytes = 0

    # Refusing and closing.

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot be read to its end, after what was read before.

        Where the head was understood the application says it, with its headers and its line in the log.
        """
        self._deaf = True
        self._reader.refusal = refusal
        if self._is_busy:
            return
        request = self._reader.request
        if request and refusal in OF_BODIES and REFUSAL not in request.environ:
            request.environ[REFUSAL] = refusal
            self._answer(request, head_alone=True)
        else:
            record_refusal(request, refusal[0])
            self._sender.write(refusal_bytes(*refusal))
            self._linger()

    def shutdown(self) -> None:
        """The server ends (called by uvicorn). Requests that were read are answered, and one on its way."""
        self._last = True
        self._end = monotonic() + ON_ITS_WAY_SECONDS
        self._deaf = self._deaf or (self._has_asked and self._reader.request is None)
        if self._is_busy:
            return
        if self._deaf:
            self._transport.close()
        else:
            self._wait(ON_ITS_WAY_SECONDS)

    # Time.

    def _ask_in_time(self, now: float) -> None:
        """Ask the application whether it refuses the request without its body, which has not arrived soon."""
        request = self._reader.request
        if request is None or self._is_busy or self._sender.paused or self._deaf or not request.head_complete:
            return
        is_due = request.expects_continue or now >= self._since + PATIENCE_SECONDS
        if is_due and not request.head_checked:
            request.head_checked = True
            self._answer(request, head_alone=True)

    def _time_is_over(self) -> None:
        if self._lingers or self._transport.is_closing():
            self._transport.abort()
        elif self._reader.request is None:
            HTTP_CONNECTIONS_CLOSED.labels("idle").inc()
            self._transport.close()
        elif self._reader.request.head_complete:
            HTTP_CONNECTIONS_CLOSED.labels("slow_body").inc()
            self._refuse(BODY_TIMEOUT)
        else:
            HTTP_CONNECTIONS_CLOSED.labels("slow_head").inc()
            self._refuse(HEAD_TIMEOUT)
