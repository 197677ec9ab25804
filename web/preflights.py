"""Answers the questions of browsers whether a page of another origin may call the API (CORS preflights).

A browser asks before the first request of a page, and again when it has forgotten the answer
(`Access-Control-Max-Age`). The answer is that of the middlewares, remembered.
"""

from collections.abc import Iterable
from typing import cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.http import HttpRequest, HttpResponse

from web.middleware import observe_requests
from web.middleware_headers import PREFLIGHT, MiddlewareHeaders
from web.server.refusals import REFUSAL


class Preflights:
    """The WSGI application that answers preflights of the API; all other requests are for `django`."""

    def __init__(self, django: WSGIApplication) -> None:
        self.django = django
        self.middlewares = MiddlewareHeaders()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        headers = self.middlewares.of_preflight(environ) if is_preflight(environ) else None
        if headers is None:
            return self.django(environ, start_response)
        response = observe_requests(lambda _: HttpResponse(headers=headers))(
            cast("HttpRequest", Preflight(environ))
        )
        start_response("200 OK", list(response.items()))
        return [b""]


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
