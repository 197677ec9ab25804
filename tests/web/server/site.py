"""A WSGI application for the tests of the server: what it does is in the path."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from threading import Timer
from wsgiref.types import StartResponse, WSGIEnvironment

from web.server.exchanges import Exchange

BIG_BYTES = 1024 * 1024
answered: list[str] = []
LARGE_BYTES = 64 * 1024 * 1024


class Site:
    """The application; it answers some paths on the event loop."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        return _answer(environ, start_response)

    def exchange_of(self, environ: WSGIEnvironment) -> Callable[[Exchange], None] | None:
        """What answers it on the event loop."""
        if environ["PATH_INFO"] == "/exchange/refuses-to-offer":
            raise ZeroDivisionError
        return EXCHANGES.get(environ["PATH_INFO"])


def _answer_at_once(exchange: Exchange) -> None:
    exchange.soon(partial(exchange.answer, "200 OK", [("Content-Length", "7")], b"at once"))


def _answer_later(exchange: Exchange) -> None:
    answer = partial(exchange.answer, "200 OK", [("Content-Length", "5")], b"later")
    Timer(0.2, exchange.soon, [answer]).start()


def _answer_late(exchange: Exchange) -> None:
    Timer(1, _answer_later, [exchange]).start()


def _fail(_exchange: Exchange) -> None:
    raise ZeroDivisionError


EXCHANGES: dict[str, Callable[[Exchange], None]] = {
    "/exchange": _answer_at_once,
    "/exchange/begun": lambda exchange: exchange.answer("200 OK", [("Content-Length", "5")], b"begun"),
    "/exchange/later": _answer_later,
    "/exchange/late": _answer_late,
    "/exchange/raises": _fail,
    "/exchange/raises/later": lambda exchange: exchange.soon(partial(_fail, exchange)),
    "/exchange/stuck": lambda _: None,
}
application = Site()


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/refuses":
        start_response("401 Unauthorized", [])
        return [b"no token"]
    if path == "/stuck":
        time.sleep(600)
    if path == "/big":
        start_response("200 OK", [])
        answered.append(path)
        return [b"x" * BIG_BYTES]
    if path == "/answered":
        start_response("200 OK", [])
        return [b"%d" % len(answered)]
    if path == "/raises":
        raise ValueError(path)
    if path == "/stream":
        start_response("200 OK", [])
        return _large()
    if path == "/file":
        start_response("200 OK", [("Content-Length", str(LARGE_BYTES))])
        return environ["wsgi.file_wrapper"](BytesIO(b"x" * LARGE_BYTES))  # type: ignore[no-any-return]
    return _echo(environ, start_response)


def _echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    headers = {name: value for name, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"body": body.decode(errors="replace"), **headers}).encode()]


def _large() -> Iterator[bytes]:
    for _ in range(LARGE_BYTES // 65_536):
        yield b"x" * 65_536
