"""One connection: reads requests whole, has them answered in turn, and keeps its client to its time."""

import asyncio
import sys
import threading
from collections import deque
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import structlog

from foundation.metrics import HTTP_CONNECTIONS_CLOSED, HTTP_REQUESTS
from web.households import household_of
from web.server.answers import refusal_bytes
from web.server.file_body import FileBody
from web.server.limits import (
    LINGER_BYTES,
    LINGER_SECONDS,
    MOST_REQUESTS_AHEAD,
    PATIENCE_SECONDS,
    REQUESTS_AHEAD,
    SLOWEST_READER_BYTES,
)
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
)
from web.server.request import Request

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from web.server.web_process import WebProcess

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = float("inf")
OF_BODIES = {TOO_LARGE, EXPECTATION, BODY_TIMEOUT}
"""Refusals of requests whose head was understood."""

log = structlog.get_logger("access")


class HttpConnection(asyncio.Protocol):
    """The protocol that uvicorn's server makes for each connection. All of it runs on the event loop."""

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.process = cast("WebProcess", config.loaded_app)
        self.limits = self.process.limits
        self.server_state = server_state
        self.loop = _loop or asyncio.get_running_loop()
        self.address = ""
        self.gone = False
        # The request that is answered, and those read meanwhile.
        self._answering: Request | None = None
        self._ahead: deque[Request] = deque()
        # The request for whose rest the connection waits, and whether its head is there.
        self._awaited: tuple[Request, bool] | None = None
        # Whether what the client sends is still read, and whether it is only read away.
        self._deaf = self._lingers = False
        self._last = False
        self._deadline = NEVER
        self._lingered = 0
        self._paused = False
        self._untaken: list[threading.Event] = []
        self._file: tuple[Request, FileBody] | None = None
        self._written = self._read_by_client = 0
        self._slow_since = 0.0

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection; close it where there is no place for it."""
        self._transport = cast("asyncio.Transport", transport)
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        self.address = household_of(address)
        self._reader = RequestReader(self.process, _base_environ(address, own), self._take_request)
        self.server_state.connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own classes
        if self.process.add(self, self.loop):
            self._wait(self.limits.head_seconds)
        else:
            HTTP_CONNECTIONS_CLOSED.labels("limit").inc()
            self._write(refusal_bytes(*OVERLOADED))
            self._linger()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all that belongs to the connection."""
        self.gone = True
        self.server_state.connections.discard(self)
        self.process.remove(self)
        for request in (self._reader.request, self._answering, *self._ahead):
            if request:
                self._let_go(request)
        self._ahead.clear()
        self._reader.request = None
        self._reader.close()
        self._end_file()
        self._take()

    def eof_received(self) -> bool:
        """The client sends no more; it still gets the answers to what it has sent."""
        self._last = self._deaf = True
        return self._is_busy

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        if self._deaf:
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES:
                self._transport.abort()
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
        if self._may_be_checked(monotonic()):
            self._check_head()

    def pause_writing(self) -> None:
        """The client reads slower than it is sent to."""
        self._paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        self._take()
        self._send_file()
        if self._ahead and self._answering is None:
            self._next()

    # Answering.

    @property
    def _is_busy(self) -> bool:
        """Whether requests are not answered yet that have been read."""
        return self._answering is not None or bool(self._ahead)

    def _take_request(self, request: Request) -> None:
        if self._answering is request:  # its head is being checked, and then it goes on
            return
        if not self._is_busy and not self._paused:
            self._answer(request)
            return
        self._ahead.append(request)
        if len(self._ahead) > MOST_REQUESTS_AHEAD:
            self._reader.refusal = TOO_MANY_AHEAD
        elif len(self._ahead) == REQUESTS_AHEAD:
            self._transport.pause_reading()

    def _answer(self, request: Request, *, head_alone: bool = False) -> None:
        self._answering = request
        self._deadline = NEVER
        self.process.counted.work(self)
        if not self.process.threads.submit(self, request, head_alone=head_alone):
            self.on_overload(request)

    def on_answer(self, request: Request, answer: bytes) -> None:
        """The whole answer, from a thread."""
        if not self._lingers:
            self._write(answer)
            self._end_answer(request)

    def on_part(self, part: bytes, taken: threading.Event) -> None:
        """A part of an answer, from a thread that waits until it may make the next."""
        self._untaken.append(taken)
        if not self._lingers:
            self._write(part)
        if not self._paused or self.gone:
            self._take()

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
        self._file = (request, file)
        self._write(head)
        if request.method == "HEAD" or self.gone:
            self._end_file()
            self._end_answer(request)
        else:
            self._send_file()

    def _send_file(self) -> None:
        while self._file and not self._paused and not self.gone:
            request, file = self._file
            if part := file.read():
                self._write(part)
            else:
                self._end_file()
                self._end_answer(request)

    def _end_file(self) -> None:
        if self._file:
            self._file[1].close()
            self._file = None

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
            self._write(CONTINUE)
        self._wait(request.body_deadline - monotonic())

    def on_failure(self, request: Request) -> None:
        """The application has raised."""
        self._refuse_answering(request, FAILED)

    def on_overload(self, request: Request) -> None:
        """Too many requests wait, or too many answers are sent."""
        self._refuse_answering(request, OVERLOADED)

    def _refuse_answering(self, request: Request, refusal: Refusal) -> None:
        if not self.gone:
            _record_refusal(request, refusal[0])
            self._last = True
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
            self._next()
        elif self._reader.refusal:
            self._refuse(self._reader.refusal)
        else:
            self._await_client()

    def _last_answer(self, request: Request) -> bool:
        return not request.keep_alive or (self._last and not self._ahead)

    def _next(self) -> None:
        """Answer the next request, once the client has read the answers before it."""
        if self._paused:
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
            _record_refusal(request, refusal[0])
            self._write(refusal_bytes(*refusal))
            self._linger()

    def _linger(self) -> None:
        """Close for writing and read on for a while: a client that still sends would lose the answer."""
        self._deaf = self._lingers = True
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._wait(LINGER_SECONDS)

    def give_way(self) -> None:
        """Close: another connection needs the place, and this one waits for its client."""
        HTTP_CONNECTIONS_CLOSED.labels("limit").inc()
        self._deaf = True
        self._transport.abort()

    def shutdown(self) -> None:
        """The server ends (called by uvicorn)."""
        self._last = self._deaf = True
        if self._answering is None:
            self._transport.close()

    # Time.

    def _wait(self, seconds: float) -> None:
        """From now on the connection waits for its client, and for so long."""
        self._since = monotonic()
        self._deadline = self._since + seconds
        self.process.counted.wait(self)

    def check(self, now: float) -> None:
        """Close the connection if its client has taken too long; called twice a second."""
        if self._is_read_too_slowly(now):
            HTTP_CONNECTIONS_CLOSED.labels("slow_reader").inc()
            self._transport.abort()
        elif now >= self._deadline:
            self._time_is_over()
        elif self._may_be_checked(now):
            self._check_head()

    def _check_head(self) -> None:
        assert self._reader.request is not None
        self._reader.request.head_checked = True
        self._answer(self._reader.request, head_alone=True)

    def _may_be_checked(self, now: float) -> bool:
        """Whether to ask if the request is refused without its body, which has not arrived soon."""
        request = self._reader.request
        if request is None or self._is_busy or self._paused or self._deaf or not request.head_complete:
            return False
        is_due = request.expects_continue or now >= self._since + PATIENCE_SECONDS
        return is_due and not request.head_checked

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

    def _is_read_too_slowly(self, now: float) -> bool:
        buffered = self._transport.get_write_buffer_size()
        read = self._written - buffered
        if not buffered or read >= self._read_by_client + SLOWEST_READER_BYTES:
            self._read_by_client, self._slow_since = read, now
        return now - self._slow_since > self.limits.slow_seconds

    # Writing.

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def _take(self) -> None:
        for taken in self._untaken:
            taken.set()
        self._untaken.clear()


def _base_environ(address: str, own: Any) -> dict[str, Any]:
    host, port = own[:2] if isinstance(own, tuple) else ("localhost", 0)
    return {
        "REMOTE_ADDR": address,
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port),
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileBody,
    }


def _record_refusal(request: Request | None, status: HTTPStatus) -> None:
    """Count and log what no application has answered."""
    method, path = (request.method, request.environ.get("PATH_INFO", "")) if request else ("", "")
    HTTP_REQUESTS.labels(method or "other", "unmatched", int(status)).inc()
    log.info("request", method=method, path=path, status=int(status))
