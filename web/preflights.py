"""Answers the questions of browsers whether a page of another origin may call the API (CORS preflights).

A browser asks before the first request of a page, and again when it has forgotten the answer
(`Access-Control-Max-Age`). The answer is that of the middlewares, remembered.
"""

from collections.abc import Callable, Iterable
from typing import cast
from wsgiref.types import StartResponse, WSGIEnvironment

from django.http import HttpRequest, HttpResponse

from web.fast_path import FastPath
from web.middleware import observe_requests
from web.middleware_headers import PREFLIGHT, Headers, MiddlewareHeaders
from web.server.exchanges import Exchange
from web.server.refusals import REFUSAL


class Preflights:
    """The WSGI application: answers preflights of the API, on the event loop; all else is for `fast_path`."""

    def __init__(self, fast_path: FastPath) -> None:
        self.fast_path = fast_path
        self.middlewares = MiddlewareHeaders()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request that is no preflight, or is one that the middlewares refuse."""
        return self.fast_path(environ, start_response)

    def exchange_of(self, environ: WSGIEnvironment) -> Callable[[Exchange], None] | None:
        """What answers such a request on the event loop; None where threads do."""
        headers = self.middlewares.of_preflight(environ) if is_preflight(environ) else None
        if headers is None:
            return self.fast_path.exchange_of(environ)
        return lambda exchange: exchange.answer("200 OK", _observed(environ, headers), b"")


def _observed(environ: WSGIEnvironment, headers: Headers) -> list[tuple[str, str]]:
    response = observe_requests(lambda _: HttpResponse(headers=headers))(
        cast("HttpRequest", Preflight(environ))
    )
    return list(response.items())


class Preflight:
    """A preflight, as its access line needs it; named as in Django."""

    method = "OPTIONS"
    resolver_match = None

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.META = environ
        self.path: str = environ["PATH_INFO"]


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Whether a browser asks about a path of the API."""
    return bool(
        environ["REQUEST_METHOD"] == "OPTIONS"
        and PREFLIGHT in environ
        and environ["PATH_INFO"].startswith("/api/")
        and environ["PATH_INFO"].isascii()
        and REFUSAL not in environ
        and environ.get("HTTP_HOST")
    )
