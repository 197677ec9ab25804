"""The first middlewares: every request gets a trace, an access line, and is counted; a path gets one form."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path
from django.utils.functional import SimpleLazyObject

from foundation.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS
from foundation.tracing import Span, begin_request, trace_id
from foundation.tracing.exemplars import exemplar
from web.log_fields import log_fields_of

log = structlog.get_logger("access")

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
WATCHING = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Programs ask for these every few seconds; that they were answered is no news."""
LETS_IN = ":token>"
"""In the route of a link whose token is a credential: such a path is not logged."""
# A UUID in any of its usual forms: with capitals, without dashes.
UUID_IN_PATH = re.compile(r"(?<=/)[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?=/|$)", re.IGNORECASE)

# Finding a metric by its labels takes longer than counting with it.
LABELS_REMEMBERED = 1_000
_requests = lru_cache(LABELS_REMEMBERED)(HTTP_REQUESTS.labels)
_seconds = lru_cache(LABELS_REMEMBERED)(HTTP_REQUEST_SECONDS.labels)

View = Callable[[HttpRequest], HttpResponse]


def observe_requests(get_response: View) -> View:
    """Middleware: give a request its `trace_parent`, bind it to the log; count and log how it was answered.

    The trace goes on from a valid `traceparent` header; its id goes back as `X-Request-Id`. The request is a
    span of it where that is recorded.
    """

    def observed(request: HttpRequest) -> HttpResponse:
        observation = Observation(request)
        with observation.bound():
            response = get_response(request)
        observation.end(response)
        observation.record()
        return response

    return observed


class Observation:
    """A request that is observed, from its beginning on."""

    def __init__(self, request: HttpRequest) -> None:
        self._start = time.perf_counter()
        self._request = request
        self._trace_parent, self._span = begin_request(request.META)
        request.trace_parent = self._trace_parent  # type: ignore[attr-defined]

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Log lines of this thread are those of the request."""
        # Not structlog's context manager, which reads all context variables of the thread.
        bound = structlog.contextvars.bind_contextvars(trace_parent=self._trace_parent)
        try:
            yield
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    def end(self, response: HttpResponse) -> None:
        """The request is answered by this; the answer gets its id."""
        self._seconds = time.perf_counter() - self._start
        self._response = response
        response["X-Request-Id"] = trace_id(self._trace_parent)

    def record(self) -> None:
        """Count and log how the request was answered."""
        _record(self._request, self._response, self._trace_parent, self._seconds)
        if self._span:
            _end_span(self._span, self._request, self._response)


def normalise_path(get_response: View) -> View:
    """Middleware: resolve all spellings of a path as one: UUIDs as usual, with the last slash.

    There is no redirect, because clients follow one with GET. The request's `path` stays as it was sent.
    """

    def normalised(request: HttpRequest) -> HttpResponse:
        path = UUID_IN_PATH.sub(lambda found: str(UUID(found[0])), request.path_info)
        if not path.endswith("/") and not is_valid_path(path) and is_valid_path(f"{path}/"):
            path = f"{path}/"
        request.path_info = path
        return get_response(request)

    return normalised


def _record(request: HttpRequest, response: HttpResponse, trace_parent: str, seconds: float) -> None:
    method, route = _method_and_route(request)
    _requests(method, route, response.status_code).inc()
    _seconds(method, route).observe(seconds, exemplar(trace_parent))
    is_watching = request.path in WATCHING and response.status_code < HTTPStatus.BAD_REQUEST
    (log.debug if is_watching else log.info)(
        "request",
        method=request.method,
        path=f"/{route}" if LETS_IN in route else request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 2),
        user=_known_user(request),
        trace_parent=trace_parent,
        **log_fields_of(response),
    )


def _method_and_route(request: HttpRequest) -> tuple[str, str]:
    """Of these there is a bounded number, whatever clients send; a route has no ids and no tokens in it."""
    method = request.method if request.method in METHODS else "other"
    return str(method), request.resolver_match.route if request.resolver_match else "unmatched"


def _end_span(span: Span, request: HttpRequest, response: HttpResponse) -> None:
    if request.path in WATCHING:
        return
    method, route = _method_and_route(request)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": response.status_code,
    }
    user = _known_user(request)
    span.tell(attributes | ({"user.id": user} if user else {}), name=f"{method} {route}")
    span.end(str(response.status_code) if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "")


def _known_user(request: HttpRequest) -> str | None:
    """The id of the user, where answering has established it: a log line is not worth a query."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return None if user is None or user.pk is None else str(user.pk)
