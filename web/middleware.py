"""The first middlewares: every request gets a trace, an access line, and is counted; a path gets one form."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
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
from foundation.tracing.exemplars import observe_all
from web.access_line import WATCHING, Access
from web.log_fields import log_fields_of

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
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
        count([observation])
        observation.record()
        return response

    return observed


class Observation:
    """A request that is observed, from its beginning on; when it is answered, also its answer.

    `labels` are method and route. Of these there is a bounded number, whatever clients send; a route has no
    ids and no tokens in it.
    """

    response: HttpResponse
    seconds: float
    labels: tuple[str, str]

    def __init__(self, request: HttpRequest) -> None:
        self._start = time.perf_counter()
        self._request = request
        self.trace_parent, self._span = begin_request(request.META)
        request.trace_parent = self.trace_parent  # type: ignore[attr-defined]

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Log lines of this thread are those of the request."""
        # Not structlog's context manager, which reads all context variables of the thread.
        bound = structlog.contextvars.bind_contextvars(trace_parent=self.trace_parent)
        try:
            yield
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    def end(self, response: HttpResponse) -> None:
        """The request is answered by this; the answer gets its id."""
        self.seconds = time.perf_counter() - self._start
        self.response = response
        self.labels = _method_and_route(self._request)
        response["X-Request-Id"] = trace_id(self.trace_parent)

    def record(self) -> None:
        """Log how the request was answered, and end its span."""
        request, user = self._request, _known_user(self._request)
        self._log(request, user)
        if self._span and request.path not in WATCHING:
            self._end_span(self._span, user)

    def _log(self, request: HttpRequest, user: str | None) -> None:
        _, route = self.labels
        access = Access(
            request.method or "",
            f"/{route}" if LETS_IN in route else request.path,
            self.response.status_code,
            round(self.seconds * 1000, 2),
            user,
            self.trace_parent,
            log_fields_of(self.response),
        )
        is_watching = request.path in WATCHING and access.status < HTTPStatus.BAD_REQUEST
        access.log("debug" if is_watching else "info")

    def _end_span(self, span: Span, user: str | None) -> None:
        method, route = self.labels
        status = self.response.status_code
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
        span.tell(attributes | ({"user.id": user} if user else {}), name=f"{method} {route}")
        span.end(str(status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "")


def count(observations: Sequence[Observation]) -> None:
    """Count these requests, which are answered, and their time."""
    statuses = Counter((*each.labels, each.response.status_code) for each in observations)
    for labels, number in statuses.items():
        _requests(*labels).inc(number)
    seconds: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for each in observations:
        seconds[each.labels].append((each.seconds, each.trace_parent))
    for method_and_route, found in seconds.items():
        observe_all(_seconds(*method_and_route), found)


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


def _method_and_route(request: HttpRequest) -> tuple[str, str]:
    method = request.method if request.method in METHODS else "other"
    return str(method), request.resolver_match.route if request.resolver_match else "unmatched"


def _known_user(request: HttpRequest) -> str | None:
    """The id of the user, where answering has established it: a log line is not worth a query."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return None if user is None or user.pk is None else str(user.pk)
