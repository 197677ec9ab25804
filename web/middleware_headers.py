"""The headers that middlewares add to answers, and their answers to preflights: asked once and remembered."""

from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from web.no_store import NO_STORE

HEADERS_REMEMBERED = 1_000
MAX_REMEMBERED_CHARACTERS = 1_000

PREFLIGHT = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"
LET_IN = HTTPStatus.ACCEPTED

Headers = dict[str, str]


class MiddlewareHeaders:
    """What the FAST_PATH_MIDDLEWARE of the settings adds to answers."""

    def __init__(self) -> None:
        self._remembered = lru_cache(HEADERS_REMEMBERED)(_asked)

    def of_answer(self, allow: str, environ: WSGIEnvironment) -> Headers | None:
        """The headers of every answer to such a POST, for a path with the methods `allow`.

        None where the request is for Django: a middleware answers it, or its headers are too long to keep.
        """
        status, headers = self._ask("POST", allow, environ)
        return headers if status == LET_IN else None

    def of_preflight(self, environ: WSGIEnvironment) -> Headers | None:
        """The headers of the answer to this preflight, which has no body; None where it is for Django."""
        status, headers = self._ask("OPTIONS", "", environ)
        return headers if status == HTTPStatus.OK else None

    def _ask(self, method: str, allow: str, environ: WSGIEnvironment) -> tuple[int, Headers]:
        read = _read_by_middlewares(method, environ)
        # Clients choose these values, and they stay in memory: long ones are not remembered.
        if sum(len(value) for _, value in read) > MAX_REMEMBERED_CHARACTERS:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, {}
        return self._remembered(method, allow, *read)


def _read_by_middlewares(method: str, environ: WSGIEnvironment) -> tuple[tuple[str, str], ...]:
    """Of a request, what FAST_PATH_MIDDLEWARE looks at."""
    proxied, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    names = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_ORIGIN", proxied)
    read = tuple((name, environ[name]) for name in names if name in environ)
    return (*read, (PREFLIGHT, "POST")) if method == "OPTIONS" else read  # whichever method it asks for


def _asked(method: str, allow: str, *read: tuple[str, str]) -> tuple[int, Headers]:
    """Status and headers of an answer that FAST_PATH_MIDDLEWARE lets pass, or gives by itself."""

    def let_in(request: HttpRequest) -> HttpResponse:
        request.get_host()
        headers = {"Allow": allow, "Vary": "Accept", **NO_STORE}
        return HttpResponse(status=LET_IN, headers=headers)

    answered: Any = let_in
    for name in reversed(settings.FAST_PATH_MIDDLEWARE):
        answered = import_string(name)(answered)
    try:
        response = answered(WSGIRequest({"REQUEST_METHOD": method, "wsgi.input": BytesIO(), **dict(read)}))
    except SuspiciousOperation:
        return HTTPStatus.BAD_REQUEST, {}
    return response.status_code, dict(response.items())
