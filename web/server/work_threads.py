"""The threads in which the application answers requests."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

import structlog

from web.server.answers import BODILESS, has_content, head_bytes
from web.server.file_body import FileBody
from web.server.limits import REQUESTS_WAITING, STREAMS
from web.server.request import BodyAwaited, Request

GATHERED_BYTES = 64 * 1024
LAST_CHUNK = b"0\r\n\r\n"

log = structlog.get_logger(__name__)


class ClientGone(Exception):
    """The connection has been closed while an answer was sent."""


class TooManyStreams(Exception):
    """More answers than STREAMS are made while they are sent."""


class Client(Protocol):
    """The connection, as a thread uses it: the first is asked, all others are called on the event loop."""

    loop: asyncio.AbstractEventLoop
    gone: bool

    def on_answer(self, request: Request, answer: bytes) -> None: ...
    def on_file(self, request: Request, head: bytes, file: FileBody) -> None: ...
    def on_part(self, part: bytes, taken: threading.Event) -> None: ...
    def on_end(self, request: Request, *, complete: bool) -> None: ...
    def on_body_awaited(self, request: Request) -> None: ...
    def on_failure(self, request: Request) -> None: ...
    def on_overload(self, request: Request) -> None: ...


Work = tuple[Client, Request, bool]


class WorkThreads:
    """A fixed number of threads, which take requests in their order."""

    def __init__(self, application: WSGIApplication, count: int) -> None:
        self.application = application
        self.count = count
        self.finished = 0
        self.at_work: set[int] = set()
        self.streams = 0
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Work] = SimpleQueue()
        for _ in range(count):
            self._start()

    @property
    def are_all_at_work(self) -> bool:
        """Whether a request that comes now has to wait."""
        return len(self.at_work) >= self.count

    def submit(self, client: Client, request: Request, *, head_alone: bool = False) -> bool:
        """Have the request answered. False where too many wait already."""
        if self._queue.qsize() >= REQUESTS_WAITING:
            return False
        self._queue.put((client, request, head_alone))
        return True

    def _start(self) -> None:
        threading.Thread(target=self._run, name="request", daemon=True).start()

    def _run(self) -> None:
        number = threading.get_ident()
        while True:
            client, request, head_alone = self._queue.get()
            self.at_work.add(number)
            try:
                if not client.gone:
                    self._work(client, request, head_alone=head_alone)
            except RuntimeError:  # the event loop has ended, and with it the process
                return
            self.finished += 1
            if number not in self.at_work:  # it has streamed, and another thread has taken its place
                return
            self.at_work.discard(number)

    def _work(self, client: Client, request: Request, *, head_alone: bool) -> None:
        call = client.loop.call_soon_threadsafe
        try:
            self._answer(client, request, head_alone=head_alone)
        except BodyAwaited:
            call(client.on_body_awaited, request)
        except TooManyStreams:
            call(client.on_overload, request)
        except ClientGone:
            pass
        except Exception:
            log.exception("request failed")
            call(client.on_failure, request)

    def _answer(self, client: Client, request: Request, *, head_alone: bool) -> None:
        started: list[Any] = []
        environ = request.head_alone() if head_alone else request.whole()
        body = self.application(environ, lambda *head: started.extend(head))  # type: ignore[arg-type]
        status, headers = started[:2]
        close = head_alone or not request.keep_alive
        request.keep_alive = not close
        if isinstance(body, FileBody):
            head = head_bytes(status, headers, close=close)
            client.loop.call_soon_threadsafe(client.on_file, request, head, body)
            return
        answer = _Answer(status, headers, body, close=close)
        if isinstance(body, list):
            client.loop.call_soon_threadsafe(client.on_answer, request, answer.whole(request, b"".join(body)))
            return
        try:
            self._send(client, request, answer)
        finally:
            getattr(body, "close", lambda: None)()

    def _send(self, client: Client, request: Request, answer: "_Answer") -> None:
        content, rest = answer.gathered()
        if rest is None:
            whole = answer.whole(request, content)
            client.loop.call_soon_threadsafe(client.on_answer, request, whole)
        else:
            self._stream(client, request, answer.parts(request, content, rest))

    def _stream(self, client: Client, request: Request, parts: Iterator[bytes]) -> None:
        """Send the parts as fast as the client reads; meanwhile another thread works in place of this one."""
        with self._lock:
            if self.streams >= STREAMS:
                raise TooManyStreams
            self.streams += 1
            self.at_work.discard(threading.get_ident())
            self._start()
        complete = False
        try:
            for part in parts:
                _send_part(client, part)
            complete = True
        finally:
            client.loop.call_soon_threadsafe(lambda: client.on_end(request, complete=complete))
            with self._lock:
                self.streams -= 1


def _send_part(client: Client, part: bytes) -> None:
    taken = threading.Event()
    client.loop.call_soon_threadsafe(client.on_part, part, taken)
    taken.wait()
    if client.gone:
        raise ClientGone


class _Answer:
    """What the application answers."""

    def __init__(
        self, status: str, headers: list[tuple[str, str]], body: Iterable[bytes], *, close: bool
    ) -> None:
        self.status, self.headers, self.body, self.close = status, headers, body, close
        self.length = next((value for name, value in headers if name.lower() == "content-length"), None)

    def gathered(self) -> tuple[bytes, Iterator[bytes] | None]:
        """The first bytes of the body, and the parts after them; None where there are none."""
        parts = iter(self.body)
        gathered: list[bytes] = []
        size = 0
        for part in parts:
            gathered.append(part)
            size += len(part)
            if self.length == str(size):
                break
            if size > GATHERED_BYTES:
                return b"".join(gathered), parts
        return b"".join(gathered), None

    def whole(self, request: Request, content: bytes) -> bytes:
        """All of it as bytes."""
        headers = self.headers
        if self.length is None and self.status[:3] not in BODILESS:
            headers = [*headers, ("Content-Length", str(len(content)))]
        head = head_bytes(self.status, headers, close=self.close)
        return head + content if has_content(request.method, self.status) else head

    def parts(self, request: Request, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
        """The same in parts: chunked, where the length is not known and the client knows of chunks."""
        chunked = self.length is None and request.http_11
        self.close |= self.length is None and not request.http_11
        request.keep_alive = not self.close
        headers = [*self.headers, ("Transfer-Encoding", "chunked")] if chunked else self.headers
        yield head_bytes(self.status, headers, close=self.close)
        if not has_content(request.method, self.status):
            return
        for part in _after(first, rest):
            if part:
                yield b"%x\r\n%b\r\n" % (len(part), part) if chunked else part
        if chunked:
            yield LAST_CHUNK


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
