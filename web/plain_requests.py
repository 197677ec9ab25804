"""The hot requests, before Django and DRF.

Only the straight way to success is here. Whatever is not plain, and whatever is refused, goes on to Django
and the view, which alone says why; nothing has been done by then. Both ways give the same answer to the same
request (tests compare them); what this one saves is in docs/adr/0013.
"""

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
import structlog
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from rest_framework.exceptions import APIException

from orders_app.exceptions import OrderError
from products_app.exceptions import Refusal
from web.errors import unavailable
from web.middleware import Answered, known_user, note, trace_id
from web.plain_ways import JSON, Answer, PlainRequest, Way, way_of
from web.throttles import are_requests_counted

# As the usual clients write them.
IS_JSON = {JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=utf-8"}
TAKES_JSON = {"*/*", JSON, f"{JSON}, */*", f"{JSON}, text/plain, */*"}
REFUSALS = (OrderError, Refusal, APIException, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
ORIGINS_REMEMBERED = 1_000
SURROUNDING = (SecurityMiddleware, CorsMiddleware, XFrameOptionsMiddleware)
"""Those of the settings' middlewares that have a say in an answer that is no page."""


def answer_plain_requests(django: WSGIApplication) -> WSGIApplication:
    """The application that does what a plain request asks for; everything else is for Django."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = answer_plainly(environ)
        if answer is None:
            return django(environ, start_response)
        start_response(f"{answer.status} {answer.status.phrase}", list(answer.headers.items()))
        return [answer.body]

    return application


def answer_plainly(environ: WSGIEnvironment) -> Answer | None:
    """The answer to a plain request that need not be refused; None where Django has to answer.

    Django can read the request again then, and takes it for a part of the same trace.
    """
    way = way_of(environ["PATH_INFO"]) if _is_plain(environ) else None
    surrounding = _surrounding_of(environ) if way else None
    if way is None or surrounding is None:
        return None
    start = time.perf_counter()
    request = PlainRequest(environ)
    with structlog.contextvars.bound_contextvars(trace_parent=request.trace_parent):
        answer = _answer(request, way)
    if answer is None:
        environ |= {"wsgi.input": BytesIO(request.body), "HTTP_TRACEPARENT": request.trace_parent}
        return None
    note(_answered(request, way, answer), time.perf_counter() - start)
    own = {
        "Allow": way.allowed,
        "Content-Length": str(len(answer.body)),
        "X-Request-Id": trace_id(request.trace_parent),
    }
    return Answer(answer.status, {**surrounding, **answer.headers, **own}, answer.body)


def _is_plain(environ: WSGIEnvironment) -> bool:
    length = environ.get("CONTENT_LENGTH", "")
    return bool(
        environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") in IS_JSON
        and environ.get("HTTP_ACCEPT", "*/*") in TAKES_JSON
        and length.isdecimal()
        and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and "HTTP_ORIGIN" not in environ
        and not are_requests_counted()
    )


def _surrounding_of(environ: WSGIEnvironment) -> Mapping[str, str] | None:
    """The headers that the middlewares add to the answer; None where they answer the request themselves."""
    proxied, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    host, scheme = environ.get("HTTP_HOST", ""), environ["wsgi.url_scheme"]
    return _surrounding(host, scheme, proxied, environ.get(proxied, ""))


@lru_cache(ORIGINS_REMEMBERED)
def _surrounding(host: str, scheme: str, proxied: str, value: str) -> Mapping[str, str] | None:
    def let_in(request: HttpRequest) -> HttpResponse:
        request.get_host()
        return HttpResponse(status=HTTPStatus.ACCEPTED, headers={"Vary": "Accept"})

    answered: Any = let_in
    for middleware in reversed(SURROUNDING):
        answered = middleware(answered)
    asked = {"REQUEST_METHOD": "POST", "HTTP_HOST": host, "wsgi.url_scheme": scheme, proxied: value}
    try:
        response = answered(WSGIRequest({**asked, "wsgi.input": BytesIO()}))
    except SuspiciousOperation:
        return None
    return dict(response.items()) if response.status_code == HTTPStatus.ACCEPTED else None


def _answer(request: PlainRequest, way: Way) -> Answer | None:
    """The answer, or nothing where the request has to be refused."""
    close_old_connections()
    try:
        return way.answer(request)
    except REFUSALS:
        return None
    except Exception as error:
        # Not the view's: whether the order was placed is unknown then, and it must not be placed again.
        return _failure(request, error)


def _failure(request: PlainRequest, error: Exception) -> Answer:
    try:
        response: HttpResponse = unavailable(error)
    except Exception as fault:
        response = response_for_exception(WSGIRequest(request.META), fault)
    return Answer(HTTPStatus(response.status_code), dict(response.items()), response.content)


def _answered(request: PlainRequest, way: Way, answer: Answer) -> Answered:
    return Answered(
        method="POST",
        route=way.route,
        path=request.path,
        status=int(answer.status),
        user=known_user(request),
        trace_parent=request.trace_parent,
    )
