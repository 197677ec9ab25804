"""One request: its head as a WSGI environ, and its body."""

import sys
from io import BytesIO
from itertools import chain
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from httptools import HttpParserInvalidURLError, parse_url

from web.rates import COUNTED
from web.server.file_body import FileBody
from web.server.limits import HEAD_BYTES, HEADERS

NAMES_REMEMBERED = 1_000
_names: dict[bytes, str] = {}
"""By the name of a header its name in the environ; an empty one for headers that are dropped."""

TAKEN_ONCE = {"HTTP_HOST", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_AUTHORIZATION"}


class BodyAwaited(BaseException):
    """The application wants to read a body that is not there yet.

    No Exception, because an application that handles errors must not handle this one.
    """


class MalformedRequest(Exception):
    """A request that cannot be understood; the text says why."""


class TooManyHeaders(Exception):
    """A head above HEAD_BYTES or HEADERS."""


class Request:
    """A request while it is read, and until it is answered."""

    def __init__(self) -> None:
        self.environ: WSGIEnvironment = {}
        self.method = ""
        self.http_11 = True
        self.keep_alive = False
        self.chunked = False
        self.expects_continue = False
        self.head_complete = self.complete = False
        # Whether it was asked if the request is refused without its body.
        self.head_checked = False
        self.body_deadline = 0.0
        self.bytes_received = 0
        self.body_bytes = 0
        self.url = b""
        self._body = bytearray()

    def end_head(
        self, method: str, headers: list[tuple[bytes, bytes]], base: WSGIEnvironment, *, http_11: bool
    ) -> None:
        """Make the environ of the head; `base` is what it has for each request of a connection.

        A header with an underscore in its name is dropped: WSGI cannot tell it from one with a hyphen.
        Raises MalformedRequest and TooManyHeaders.
        """
        self.head_complete = True
        self.method, self.http_11 = method, http_11
        if len(headers) > HEADERS or sum(map(len, chain(*headers)), len(self.url)) > HEAD_BYTES:
            raise TooManyHeaders
        environ = self.environ = base.copy()
        environ["REQUEST_METHOD"] = method
        environ[COUNTED] = set()  # made here, so that `head_alone` shares it
        environ["SERVER_PROTOCOL"] = "HTTP/1.1" if http_11 else "HTTP/1.0"
        environ["PATH_INFO"], environ["QUERY_STRING"] = self._target()
        for name, value in headers:
            if key := _names.get(name) or _environ_name(name):
                self._set(key, value.decode("latin-1"))
        if http_11 and "HTTP_HOST" not in environ:
            raise MalformedRequest("The Host header is missing.")
        self.chunked = "HTTP_TRANSFER_ENCODING" in environ
        self.expects_continue = http_11 and environ.get("HTTP_EXPECT", "").lower() == "100-continue"

    def _set(self, key: str, value: str) -> None:
        environ = self.environ
        if key not in environ:
            environ[key] = value
        elif key in TAKEN_ONCE:
            raise MalformedRequest("A header that may be there once is there twice.")
        else:
            environ[key] += f"{'; ' if key == 'HTTP_COOKIE' else ','}{value}"

    def _target(self) -> tuple[str, str]:
        try:
            url = parse_url(self.url)
            path, query = url.path or b"/", url.query or b""
        except HttpParserInvalidURLError as error:
            if self.url != b"*":
                raise MalformedRequest("The target is no path.") from error
            path, query = self.url, b""
        if b"%" in path:
            path = unquote_to_bytes(path)
        return path.decode("latin-1"), query.decode("latin-1")

    @property
    def length(self) -> int:
        """The declared length of the body; 0 where none is."""
        return int(self.environ.get("CONTENT_LENGTH") or 0)

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head."""
        return self.chunked or self.length > 0

    def framing(self) -> bytes:
        """A head that declares the body as the request does."""
        framing = "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {self.length}"
        return f"POST / HTTP/1.1\r\n{framing}\r\n\r\n".encode()

    def add_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body += part
        self.body_bytes += len(part)

    def whole(self) -> WSGIEnvironment:
        """The environ with the body, whose length is declared even where it came in chunks."""
        environ = self.environ
        if "wsgi.input" in environ:
            return environ
        environ["wsgi.input"] = BytesIO(self._body)
        if self.chunked or "CONTENT_LENGTH" in environ:  # one form of a length: it may have come as 003
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ["CONTENT_LENGTH"] = str(len(self._body))
        self._body.clear()
        return environ

    def head_alone(self) -> WSGIEnvironment:
        """A copy of the environ with a body that cannot be read yet."""
        # Where the length is unknown, any will do: an empty body would not be asked for.
        length = self.environ.get("CONTENT_LENGTH", "1")
        return {**self.environ, "wsgi.input": _AwaitedBody(), "CONTENT_LENGTH": length}


class _AwaitedBody:
    """The body of a request while it is not complete."""

    def read(self, *_: Any) -> NoReturn:
        """Raise BodyAwaited."""
        raise BodyAwaited

    readline = readlines = __iter__ = read


def _environ_name(name: bytes) -> str:
    key = "" if b"_" in name else name.decode("latin-1").upper().replace("-", "_")
    if key and key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        key = f"HTTP_{key}"
    if len(_names) < NAMES_REMEMBERED:  # clients choose names, and these stay in memory
        _names[name] = key
    return key


def base_environ(address: str, own: Any) -> WSGIEnvironment:
    """What the environ has for each request of a connection from `address` to the socket named `own`."""
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
