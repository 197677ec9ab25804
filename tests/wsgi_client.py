"""A test client whose requests pass through the whole WSGI application that the server runs."""

from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from queue import SimpleQueue
from typing import Any, cast

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from rest_framework.test import APIClient

from web.fast_path import FastPath
from web.preflights import Preflights
from web.server.exchanges import Exchange

CSRF_TOKEN = "t" * 32


class WsgiClient(APIClient):
    """A client of the real application; it sends a CSRF token, as the system's own pages do."""

    def __init__(self, *, csrf_token: bool = True, **defaults: Any) -> None:
        super().__init__(HTTP_HOST="testserver", **defaults)
        self.raise_request_exception = False
        self.application: Any = None
        self.handler: Any = self.answer_of_application
        if csrf_token:
            self.cookies["csrftoken"] = CSRF_TOKEN
            self.defaults["HTTP_X_CSRFTOKEN"] = CSRF_TOKEN

    def answer_of_application(self, environ: dict[str, Any]) -> HttpResponse:
        """The answer of the WSGI application, as the response of a test client."""
        # Created at the first request, after the test has changed settings.
        self.application = self.application or Preflights(FastPath(get_wsgi_application()))
        if begin := self.application.exchange_of(environ):
            return _response(environ, *_Answering().outcome(begin))
        started: list[Any] = []
        # Of a copy, because Django writes into the environment.
        body: Iterable[bytes] = self.application(environ.copy(), lambda *head: started.extend(head))
        content = b"".join(body)
        getattr(body, "close", lambda: None)()
        status, headers = started
        return _response(environ, status, headers, content)


class _Answering:
    """An exchange, whose event loop is the thread of the test."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._answers: list[tuple[str, list[tuple[str, str]], bytes]] = []

    def outcome(self, begin: Callable[[Exchange], None]) -> tuple[str, list[tuple[str, str]], bytes]:
        begin(cast("Exchange", self))
        while not self._answers or not self._calls.empty():
            self._calls.get(timeout=60)()
        return self._answers[0]

    def soon(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def answer(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        self._answers.append((status, headers, content))


def _response(
    environ: dict[str, Any], status: str, headers: list[tuple[str, str]], content: bytes
) -> HttpResponse:
    response = HttpResponse(content, status=int(status.partition(" ")[0]))
    del response["Content-Type"]
    for name, value in headers:
        if name == "Set-Cookie":
            response.cookies.update(SimpleCookie(value))
        else:
            response[name] = value
    response.wsgi_request = WSGIRequest(environ)  # type: ignore[attr-defined]
    return response
