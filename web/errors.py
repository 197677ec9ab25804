"""Every error of the API in one form, `{"type", "errors": [{"code", "detail", "attr"}]}`.

A refusal of an application carries its code and its sentence; the table gives its kind a status. A dependency
that is down is a 503 with a sentence of ours, because its own may name hosts.
"""

import sys
from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler as StandardExceptionHandler
from drf_standardized_errors.types import ErrorResponse, ExceptionHandlerContext
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    ErrorDetail,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    UnsupportedMediaType,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.printable import shortened
from foundation.refusals import Kind, Refusal, Unavailable
from web.error_form import error_content
from web.error_pages import OUTDATED_FORM, error_page
from web.rendering import JsonRenderer, to_json

STATUSES = {
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.PRECONDITION: HTTPStatus.PRECONDITION_FAILED,
    Kind.UNPROCESSABLE: HTTPStatus.UNPROCESSABLE_ENTITY,
}
OUTAGES = (Unavailable, OperationalError, InterfaceError)
"""The errors of a dependency that is down."""
RETRY_AFTER_SECONDS = 5
SHOWN_CHARACTERS = 100
"""Of what was sent: an error does not send all of it back."""
UNKNOWN_HOST = "The Host header names none of the hosts of this installation."


class Refused(APIException):
    """A refusal of an application as an answer; `facts` join the body beside `type` and `errors`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal), refusal.code)
        self.status_code = STATUSES[refusal.kind]
        self.facts = refusal.facts


class DependencyUnavailable(APIException):
    """A server that the answer needs is down; asking again soon is right."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    wait = RETRY_AFTER_SECONDS


class BodyTooLarge(APIException):
    """More than DATA_UPLOAD_MAX_MEMORY_SIZE bytes were sent."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class BadRequest(APIException):
    """What Django finds suspicious."""

    status_code = HTTPStatus.BAD_REQUEST
    default_detail = "The request is malformed."
    default_code = "bad_request"


def as_api_exception(exception: Exception) -> Exception:
    """What the API answers for this exception; the same exception where the framework knows it."""
    match exception:
        case Refusal():
            return Refused(exception)
        case Unavailable():
            return DependencyUnavailable(exception.sentence, exception.code)
        case OperationalError() | InterfaceError():
            return DependencyUnavailable("The orders cannot be reached just now.", "database_unavailable")
        case RequestDataTooBig():
            return BodyTooLarge()
        case SuspiciousOperation():
            return BadRequest()
    return exception


class ExceptionHandler(StandardExceptionHandler):
    """The library's handler, which knows refusals and outages too."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """The exception with a status and one sentence."""
        if isinstance(exc, AuthenticationFailed) and isinstance(exc.detail, dict):
            # simplejwt adds what it thinks of each class of token.
            exc.detail = ErrorDetail(str(exc.detail["detail"]), str(exc.detail["code"]))
        return super().convert_known_exceptions(self.explained(as_api_exception(exc)))

    def explained(self, exc: Exception) -> Exception:
        """The exception with what came and what would be right, where DRF says only what is wrong."""
        view, request = self.context["view"], cast("Request", self.context["request"])
        match exc:
            case UnsupportedMediaType():
                came = shortened(request.content_type, SHOWN_CHARACTERS)
                exc.detail = ErrorDetail(_unread(came, view), exc.default_code)
            case MethodNotAllowed():
                allowed = ", ".join(view.allowed_methods)
                exc.detail = ErrorDetail(f"{exc.detail} Allowed are {allowed}.", exc.default_code)
            case NotAcceptable():
                asked = shortened(request.headers.get("Accept", ""), SHOWN_CHARACTERS)
                exc.detail = ErrorDetail(_unwritten(asked, view), exc.default_code)
        return exc

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Log a server error with its traceback; an outage without one, which each request would repeat."""
        if not isinstance(exc, DependencyUnavailable):
            super().report_exception(exc, response)
            return
        request = cast("Request", self.context["request"])._request  # noqa: SLF001 - as the library does
        got_request_exception.send(sender=None, request=request)
        log_response("%s: %s: %s", exc.detail, request.path, self.exc, response=response, request=request)

    def format_exception(self, exc: APIException) -> dict[str, Any]:
        """The body, with the facts of a refusal."""
        return super().format_exception(exc) | getattr(exc, "facts", {})


class ErrorFormatter(ExceptionFormatter):
    """The library's form, without its way through copies of dataclasses."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        """The body."""
        errors = [
            {"code": each.code, "detail": each.detail, "attr": each.attr} for each in error_response.errors
        ]
        return {"type": error_response.type, "errors": errors}


def _unread(came: str, view: APIView) -> str:
    read = " or ".join(parser.media_type for parser in view.get_parsers())
    sent = f'a body of type "{came}"' if came else "a body without a Content-Type"
    return f"This is {sent}; this route reads {read}."


def _unwritten(asked: str, view: APIView) -> str:
    written = " or ".join(renderer.media_type for renderer in view.get_renderers())
    return f'"{asked}" is asked for (Accept), but this route answers with {written}.'


def error_answer(
    error: Exception, request: HttpRequest, authentication: BaseAuthentication
) -> HttpResponse | None:
    """The answer that a DRF view gives where it raises `error`, for a request that came to no view.

    A 401 asks for credentials in the words of `authentication`. None where a view would leave the error to
    Django, as with DEBUG.
    """
    asked = Request(request)
    if isinstance(error, NotAuthenticated | AuthenticationFailed):
        error.auth_header = authentication.authenticate_header(asked)  # type: ignore[union-attr]
    context = ExceptionHandlerContext(view=APIView(), args=(), kwargs={}, request=asked)
    return cast("HttpResponse | None", _WithoutView(error, context).run())


class _WithoutView(ExceptionHandler):
    """Answers in JSON at once: there is no view to choose another form, or to have opened a transaction."""

    def set_rollback(self) -> None:
        """Nothing is to be rolled back."""

    def get_response(  # type: ignore[override]  # the library only passes it on
        self, exc: APIException, data: dict[str, Any]
    ) -> HttpResponse:
        """The answer."""
        return HttpResponse(
            to_json(data), JsonRenderer.media_type, exc.status_code, headers=self.get_headers(exc)
        )


def is_api(request: HttpRequest) -> bool:
    """Whether the request is for the API rather than for a page."""
    return request.path.startswith("/api/")


def error_response(status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    """The same form for what fails outside the views of the API."""
    return HttpResponse(error_content(status, code, detail), status=status, content_type="application/json")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what Django refuses before a view runs, such as an unknown host."""
    if is_api(request):
        unknown_host = isinstance(exception, DisallowedHost)
        sentence = UNKNOWN_HOST if unknown_host else BadRequest.default_detail
        return error_response(HTTPStatus.BAD_REQUEST, BadRequest.default_code, sentence)
    return error_page(request, HTTPStatus.BAD_REQUEST)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: an unknown path."""
    if is_api(request):
        path = shortened(request.path, SHOWN_CHARACTERS)
        return error_response(HTTPStatus.NOT_FOUND, "not_found", f"There is no route {path}.")
    return error_page(request, HTTPStatus.NOT_FOUND)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403: what Django refuses outside the views of the API."""
    if is_api(request):
        return error_response(HTTPStatus.FORBIDDEN, "permission_denied", "This is not allowed.")
    return error_page(request, HTTPStatus.FORBIDDEN, str(exception))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: a form without the token of its page."""
    if is_api(request):
        return error_response(HTTPStatus.FORBIDDEN, "permission_denied", f"CSRF Failed: {reason}")
    return error_page(request, HTTPStatus.FORBIDDEN, words=OUTDATED_FORM)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: what fails outside the views; a page says 503 where that is a dependency that is down."""
    if is_api(request):
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "error", "Server Error (500)")
    is_outage = isinstance(sys.exc_info()[1], OUTAGES)
    return error_page(
        request, HTTPStatus.SERVICE_UNAVAILABLE if is_outage else HTTPStatus.INTERNAL_SERVER_ERROR
    )
