"""What every request passes first: it gets a trace, an access line, and its place in the figures."""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from msgspec import Struct

from foundation.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS

log = structlog.get_logger("access")

TRACE_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

View = Callable[[HttpRequest], HttpResponse]


class Answered(Struct, frozen=True):
    """A request that was answered; `user` is the id of who asked, where that is known."""

    method: str
    route: str
    path: str
    status: int
    user: str | None
    trace_parent: str


def observe_requests(get_response: View) -> View:
    """Middleware: give a request its `trace_parent`, bind it to the log, and note how it was answered.

    The trace goes on from a valid `traceparent` header; its id goes back as `X-Request-Id`.
    """

    def observed(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        trace_parent = trace_parent_of(request.META)
        request.trace_parent = trace_parent  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(trace_parent=trace_parent):
            response = get_response(request)
        note(_answered(request, response, trace_parent), time.perf_counter() - start)
        response["X-Request-Id"] = trace_id(trace_parent)
        return response

    return observed


def trace_parent_of(headers: Mapping[str, Any]) -> str:
    """The request's W3C traceparent (`headers` as in WSGI), or one that starts a trace."""
    header = headers.get("HTTP_TRACEPARENT", "")
    return header if TRACE_PARENT.fullmatch(header) else f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"


def trace_id(trace_parent: str) -> str:
    """The part of a traceparent that all its spans have in common."""
    return trace_parent.split("-")[1]


def note(answered: Answered, seconds: float) -> None:
    """Put a request that took so many seconds into the figures and the log."""
    method = answered.method if answered.method in METHODS else "other"
    HTTP_REQUESTS.labels(method, answered.route, answered.status).inc()
    HTTP_REQUEST_SECONDS.labels(method, answered.route).observe(seconds)
    log.info(
        "request",
        method=answered.method,
        path=answered.path,
        status=answered.status,
        ms=round(seconds * 1000, 2),
        user=answered.user,
        trace_parent=answered.trace_parent,
    )


def _answered(request: HttpRequest, response: HttpResponse, trace_parent: str) -> Answered:
    return Answered(
        method=request.method or "",
        route=request.resolver_match.route if request.resolver_match else "unmatched",
        path=request.path,
        status=response.status_code,
        user=known_user(request),
        trace_parent=trace_parent,
    )


def known_user(request: object) -> str | None:
    """The id of the user, where answering has established it: a log line is not worth a query."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return None if user is None or user.pk is None else str(user.pk)
