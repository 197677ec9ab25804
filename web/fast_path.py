"""Answers hot endpoints in front of Django's handler: without most of its middlewares, and without DRF.

Which requests it takes is decided before anything is done for them: those that programs usually send. It
answers each of them itself, whether the endpoint succeeds or refuses. All others go on to the view, which
gives the same answers (tests compare them to the letter). What this saves is in docs/adr/0013.
"""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, NoReturn, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls.resolvers import RoutePattern
from django.utils.module_loading import import_string
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from foundation.group_commit import Call
from web.bodies import read_body
from web.endpoint import Endpoint
from web.errors import error_answer
from web.log_fields import LogFields
from web.middleware import Observation, View, count, observe_requests
from web.middleware_headers import Headers, MiddlewareHeaders
from web.rendering import to_json
from web.server.exchanges import Exchange
from web.throttles import NO_VIEW, AddressThrottle, require_unthrottled
from web.usual_form import JSON, has_usual_form

log = structlog.get_logger(__name__)

SMALL_BODY_BYTES = 16 * 1024
"""A larger body is read in a thread: the event loop is for all requests."""


class FastPath:
    """The WSGI application: answers the requests that the fast path takes; all others are for `django`."""

    def __init__(self, django: WSGIApplication) -> None:
        self.django = django
        self.endpoints = [FastEndpoint(import_string(name)) for name in settings.FAST_ENDPOINTS]
        self.observed: Any = observe_requests(cast("View", _answer))
        self.headers = MiddlewareHeaders()
        self.answered = Answered()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        endpoint, arguments = self.match(environ)
        headers = self.headers.of_answer(endpoint.allow, environ) if endpoint else None
        if endpoint is None or headers is None:
            return self.django(environ, start_response)
        response = self.observed(FastRequest(environ, endpoint, arguments))
        start_response(*response.head(headers))
        return [response.content]

    def exchange_of(self, environ: WSGIEnvironment) -> Callable[[Exchange], None] | None:
        """What answers such a request on the event loop (web/server/exchanges.py); None where threads do."""
        endpoint, arguments = self.match(environ)
        if endpoint is None or not endpoint.waits_for_its_service_alone(environ):
            return None
        headers = self.headers.of_answer(endpoint.allow, environ)
        if headers is None:
            return None
        return FastExchange(FastRequest(environ, endpoint, arguments), headers, self.answered).begin

    def match(self, environ: WSGIEnvironment) -> tuple["FastEndpoint | None", dict[str, Any]]:
        """The endpoint and the path's arguments, where the fast path takes the request."""
        if has_usual_form(environ):
            for endpoint in self.endpoints:
                if (arguments := endpoint.match(environ)) is not None:
                    return endpoint, arguments
        return None, {}


class FastRequest:
    """A request of the fast path: what authentication, throttles, endpoints and the access line read of it.

    Named as in Django. Making Django's own request, match and response takes a quarter of the fast path.
    """

    method = "POST"

    def __init__(self, environ: WSGIEnvironment, endpoint: "FastEndpoint", arguments: dict[str, Any]) -> None:
        self.META = environ
        self.path: str = environ["PATH_INFO"]
        self.resolver_match = endpoint
        self.arguments = arguments
        self.user: Any = None
        self.auth: Any = None
        self.trace_parent = ""

    def read(self) -> bytes:
        """The body."""
        return cast("bytes", self.META["wsgi.input"].read(int(self.META["CONTENT_LENGTH"])))


class FastResponse:
    """A response of the fast path, named as in Django."""

    def __init__(self, status_code: int, headers: Headers, content: bytes, log_fields: LogFields) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content
        self.log_fields = log_fields

    def __setitem__(self, name: str, value: str) -> None:
        self.headers[name] = value

    def head(self, headers: Headers) -> tuple[str, list[tuple[str, str]]]:
        """The status line and the headers, those of middlewares among them."""
        own = {**self.headers, "Content-Length": str(len(self.content))}
        status = HTTPStatus(self.status_code)
        return f"{status} {status.phrase}", list((headers | own).items())


class Answered:
    """Requests that are answered and not recorded yet. All of it runs on the event loop."""

    def __init__(self) -> None:
        self._observations: list[Observation] = []

    def add(self, exchange: Exchange, observation: Observation) -> None:
        """Record this one after the answers of its batch have been sent: no answer waits for a log line."""
        self._observations.append(observation)
        if len(self._observations) == 1:
            exchange.soon(self._record)

    def _record(self) -> None:
        observations, self._observations = self._observations, []
        steps: list[Callable[[], None]] = [partial(count, observations)]
        steps += [each.record for each in observations]
        for step in steps:
            try:
                step()
            except Exception:
                log.exception("request not recorded")


class FastExchange:
    """A request that waits for its service without a thread."""

    def __init__(self, request: FastRequest, headers: Headers, answered: Answered) -> None:
        self.request, self.headers, self.answered = request, headers, answered
        self.observation = Observation(cast("HttpRequest", request))

    def begin(self, exchange: Exchange) -> None:
        """Ask the service, or refuse."""
        endpoint = self.request.resolver_match
        try:
            body, asked = endpoint.let_in(self.request)
        except Exception as error:
            exchange.soon(partial(self.end, exchange, partial(_raise, error)))
            return

        def answered(call: Call[Any, Any]) -> None:
            exchange.soon(partial(self.end, exchange, partial(endpoint.response, body, call)))

        endpoint.service.submit(asked, answered)

    def end(self, exchange: Exchange, respond: Callable[[], FastResponse]) -> None:
        """Answer what `respond` gives or raises."""
        try:
            response = respond()
        except Exception as error:
            with self.observation.bound():
                response = self.request.resolver_match.answer_to(error, self.request)
        self.observation.end(cast("HttpResponse", response))
        exchange.answer(*response.head(self.headers), response.content)
        self.answered.add(exchange, self.observation)


def _raise(error: Exception) -> NoReturn:
    raise error


def _answer(request: FastRequest) -> FastResponse:
    close_old_connections()
    endpoint = request.resolver_match
    try:
        return endpoint.call(request)
    except Exception as error:
        return endpoint.answer_to(error, request)


def _as_fast(response: HttpResponse) -> FastResponse:
    return FastResponse(response.status_code, dict(response.items()), response.content, {})


class FastEndpoint:
    """A declared endpoint, ready to answer requests."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, self.service = endpoint, endpoint.service
        self.route, self.allow = endpoint.route, endpoint.allow
        self.pattern = RoutePattern(endpoint.route, is_endpoint=True)
        self.authorization = f"{endpoint.scheme} ".lower()
        self.authentication = endpoint.authentication[0]()

    def match(self, environ: WSGIEnvironment) -> dict[str, Any] | None:
        """The path's arguments, where the request is for this endpoint, with its kind of credentials."""
        sent = environ.get("HTTP_AUTHORIZATION", "")
        if sent[: len(self.authorization)].lower() != self.authorization:
            return None
        # As `normalise_path` does for the view.
        path = environ["PATH_INFO"]
        found = self.pattern.match(path[1:] if path.endswith("/") else f"{path[1:]}/")
        return found[2] if found else None

    def waits_for_its_service_alone(self, environ: WSGIEnvironment) -> bool:
        """Whether the event loop can do everything else, in little time."""
        is_small = int(environ["CONTENT_LENGTH"]) <= SMALL_BODY_BYTES
        return self.endpoint.authenticates_at_once and is_small

    def answer_to(self, error: Exception, request: FastRequest) -> FastResponse:
        """The answer to what was raised, while it is handled: what a view answers, or Django."""
        asked = WSGIRequest(request.META)
        refusal = error_answer(error, asked, self.authentication)
        return _as_fast(refusal or response_for_exception(asked, error))

    def call(self, request: FastRequest) -> FastResponse:
        """The successful answer. Raises refusals."""
        body, asked = self.let_in(request)
        return self.response(body, self.service.run(asked))

    def let_in(self, request: FastRequest) -> tuple[Any, Any]:
        """The body, and what the service is asked, by the steps of `limit_addresses` and a DRF view."""
        require_unthrottled(cast("Request", request), [AddressThrottle])
        self.authenticate(request)
        if not self.endpoint.permission.has_permission(cast("Request", request), NO_VIEW):
            raise PermissionDenied(getattr(self.endpoint.permission, "message", None))
        require_unthrottled(cast("Request", request), self.endpoint.throttles)
        body = read_body(request.read(), self.endpoint.body.struct)
        return body, self.endpoint.ask(request, body, **request.arguments)

    def response(self, body: Any, call: Call[Any, Any]) -> FastResponse:
        """The successful answer. Raises refusals."""
        answer = self.endpoint.answer(body, call)
        headers = {"Content-Type": JSON, **answer.headers}
        return FastResponse(int(self.endpoint.status), headers, to_json(answer.content), answer.log_fields)

    def authenticate(self, request: FastRequest) -> None:
        """Set the request's `user` and `auth`. Raises AuthenticationFailed or NotAuthenticated."""
        found = self.authentication.authenticate(cast("Request", request))
        if found is None:
            raise NotAuthenticated
        request.user, request.auth = found
