"""Reads the requests of one connection out of its bytes."""

from collections.abc import Callable
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING
from wsgiref.types import WSGIEnvironment

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from web.server.limits import BODIES_BYTES, CHUNKING_FACTOR, HEAD_BYTES
from web.server.refusals import (
    EXPECTATION,
    MALFORMED,
    OVERLOADED,
    TOO_LARGE,
    TOO_MANY_HEADERS,
    WRONG_VERSION,
    Refusal,
)
from web.server.request import MalformedRequest, Request, TooManyHeaders

if TYPE_CHECKING:
    from web.server.web_process import WebProcess

HTTP_2_PREFACE = b"PRI * HTTP/2.0"
VERSIONS = {"1.0", "1.1"}


class RequestReader:
    """Makes requests of bytes, within bounds; `take` gets each that is complete.

    `request` is the one that is read, `refusal` the reason for which nothing more is read.
    """

    def __init__(self, process: "WebProcess", base: WSGIEnvironment, take: Callable[[Request], None]) -> None:
        self.request: Request | None = None
        self.refusal: Refusal | None = None
        self._process, self._base, self._take = process, base, take
        self._parser = HttpRequestParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._first = b""
        # Whether a request has ended in the bytes that are fed.
        self._ended_one = False
        # Whether the parser is fed a head that has been read already.
        self._continues = False

    def feed(self, data: bytes) -> bool:
        """Read on. False where what comes after is for nobody."""
        # In parts: what a request takes is counted from the first part on in which no other one ends.
        for at in range(0, len(data), HEAD_BYTES):
            if not self.refusal and not self._feed_part(data[at : at + HEAD_BYTES]):
                return False
        return True

    def _feed_part(self, data: bytes) -> bool:
        self._first = self._first or data[: len(HTTP_2_PREFACE)]
        self._ended_one = False
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            return self._stay_with_http_1(data[upgrade.args[0] :])
        except HttpParserError:
            self.refusal = self.refusal or self._malformed()
        if self.request and not self._ended_one:
            self._count(self.request, len(data))
        return True

    def _stay_with_http_1(self, rest: bytes) -> bool:
        """Read on after a request that asks for another protocol, which is not spoken here.

        The parser passes over the body of such a request; another one reads it after a head that says so.
        """
        if self.refusal or self._parser.get_method() == b"CONNECT":
            return False
        self._parser = HttpRequestParser(self)
        if self.request:
            self._continues = True
            self._parser.feed_data(self.request.framing())
            self._continues = False
        return not rest or self._feed_part(rest)

    def close(self) -> None:
        """Free the parser, which holds this reader."""
        del self._parser

    def _malformed(self) -> Refusal:
        return WRONG_VERSION if self._first.startswith(HTTP_2_PREFACE) else MALFORMED

    def _count(self, request: Request, size: int) -> None:
        """Bound what a request takes on the wire, whatever the parser makes of it.

        Bytes of a part in which another request ends are not counted: whose they are is not known.
        """
        request.bytes_received += size
        if not request.head_complete and request.bytes_received > 2 * HEAD_BYTES:
            self.refusal = self.refusal or TOO_MANY_HEADERS
        if request.bytes_received > CHUNKING_FACTOR * self._process.limits.body_bytes + 4 * HEAD_BYTES:
            self.refusal = self.refusal or TOO_LARGE

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self._continues:
            return
        self.request = Request()
        self._headers = []

    def on_url(self, part: bytes) -> None:
        """A part of the target."""
        if self.request and not self._continues:
            self.request.url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers, which come after a chunked body, are not kept."""
        if self.request and not self.request.head_complete:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The end of the head: what is known by now may be refused."""
        request = self.request
        if request is None or self.refusal or self._continues:
            return
        version = self._parser.get_http_version()
        if version not in VERSIONS:
            self.refusal = WRONG_VERSION
            return
        method = self._parser.get_method().decode()
        try:
            request.end_head(method, self._headers, self._base, http_11=version == "1.1")
        except TooManyHeaders:
            self.refusal = TOO_MANY_HEADERS
            return
        except MalformedRequest as error:
            self.refusal = (HTTPStatus.BAD_REQUEST, "bad_request", str(error))
            return
        request.keep_alive = request.http_11 and self._parser.should_keep_alive()
        if request.has_body:
            self._expect_body(request)

    def _expect_body(self, request: Request) -> None:
        if request.length > self._process.limits.body_bytes:
            self.refusal = TOO_LARGE
        elif request.environ.get("HTTP_EXPECT") and request.http_11 and not request.expects_continue:
            self.refusal = EXPECTATION
        request.body_deadline = monotonic() + self._process.limits.body_seconds

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        request = self.request
        if request is None or self.refusal:
            return
        request.add_body(part)
        self._process.body_bytes += len(part)
        if request.body_bytes > self._process.limits.body_bytes:
            self.refusal = TOO_LARGE
        elif self._process.body_bytes > BODIES_BYTES:
            self.refusal = OVERLOADED

    def on_message_complete(self) -> None:
        """The end of a request."""
        request = self.request
        if request is None or self.refusal:
            return
        if request.has_body and self._parser.should_upgrade():  # the body has been passed over
            return
        self.request = None
        self._ended_one = True
        request.complete = True
        self._take(request)
