"""What every request passes first: it gets a trace, an access line, and its place in the figures."""

import os
import re
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from kafka_workers.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS

log = structlog.get_logger("access")

TRACE_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

View = Callable[[HttpRequest], HttpResponse]


def observe_requests(get_response: View) -> View:
    """Middleware: give a request its `trace_parent`, bind it to the log, and note how it was answered.

    The trace goes on from a valid `traceparent` header; its id goes back as `X-Request-Id`.
    """

    def observed(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        trace_parent = incoming_trace_parent(request) or new_trace_parent()
        request.trace_parent = trace_parent  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(trace_parent=trace_parent):
            response = get_response(request)
            _note(request, response, time.perf_counter() - start)
        response["X-Request-Id"] = trace_parent.split("-")[1]
        return response

    return observed


def incoming_trace_parent(request: HttpRequest) -> str:
    """The request's W3C traceparent, or nothing where it has no valid one."""
    header = request.META.get("HTTP_TRACEPARENT", "")
    return header if TRACE_PARENT.fullmatch(header) else ""


def new_trace_parent() -> str:
    """A traceparent that starts a trace."""
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    method = request.method if request.method in METHODS else "other"
    route = request.resolver_match.route if request.resolver_match else "unmatched"
    HTTP_REQUESTS.labels(method, route, response.status_code).inc()
    HTTP_REQUEST_SECONDS.labels(method, route).observe(seconds)
    log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 2),
        user=_known_user(request),
    )


def _known_user(request: HttpRequest) -> str | None:
    """The id of the user, where answering has established it: a log line is not worth a query."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return None if user is None or user.pk is None else str(user.pk)
