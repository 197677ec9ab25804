"""The headers that middlewares add to the answers of the fast path: asked of them once, and remembered."""

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

Headers = dict[str, str]


class MiddlewareHeaders:
    """What the FAST_PATH_MIDDLEWARE of the settings adds to answers."""

    def __init__(self) -> None:
        self._remembered = lru_cache(HEADERS_REMEMBERED)(_headers_of_middlewares)

    def of_answer(self, allow: str, environ: WSGIEnvironment) -> Headers | None:
        """The headers of every answer to such a POST, for a path with the methods `allow`.

        None where the request is for Django: a middleware answers it, or its headers are too long to keep.
        """
        read = _read_by_middlewares(environ)
        # Clients choose these values, and they stay in memory: long ones are not remembered.
        if sum(len(value) for _, value in read) > MAX_REMEMBERED_CHARACTERS:
            return None
        return self._remembered(allow, *read)


def _read_by_middlewares(environ: WSGIEnvironment) -> tuple[tuple[str, str], ...]:
    """Of a request, what FAST_PATH_MIDDLEWARE looks at."""
    proxied, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    names = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_ORIGIN", proxied)
    return tuple((name, environ[name]) for name in names if name in environ)


def _headers_of_middlewares(allow: str, *read: tuple[str, str]) -> Headers | None:
    """The headers of every answer, with those of FAST_PATH_MIDDLEWARE; None where it answers by itself."""

    def let_in(request: HttpRequest) -> HttpResponse:
        request.get_host()
        headers = {"Allow": allow, "Vary": "Accept", **NO_STORE}
        return HttpResponse(status=HTTPStatus.ACCEPTED, headers=headers)

    answered: Any = let_in
    for name in reversed(settings.FAST_PATH_MIDDLEWARE):
        answered = import_string(name)(answered)
    try:
        response = answered(WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(), **dict(read)}))
    except SuspiciousOperation:
        return None
    return dict(response.items()) if response.status_code == HTTPStatus.ACCEPTED else None
