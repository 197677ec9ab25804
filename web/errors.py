"""Every error of the API in one form, `{"type", "errors": [{"code", "detail", "attr"}]}`, whatever raised it.

The exceptions of the applications carry their code and their sentence; the table gives each family its
status. A dependency that is down is a 503 with a sentence of ours, because its own may name hosts.
"""

from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from drf_standardized_errors.handler import ExceptionHandler as StandardExceptionHandler
from rest_framework.exceptions import APIException, AuthenticationFailed, ErrorDetail

from orders_app import exceptions as orders
from products_app import exceptions as products

STATUSES: dict[type[Exception], HTTPStatus] = {
    orders.OrderNotFound: HTTPStatus.NOT_FOUND,
    orders.OrderNotPlaceable: HTTPStatus.BAD_REQUEST,
    orders.CustomerNotFound: HTTPStatus.UNAUTHORIZED,
    orders.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    orders.NotAllowedNow: HTTPStatus.CONFLICT,
    orders.OrderNotDeletable: HTTPStatus.UNPROCESSABLE_ENTITY,
    products.ProductNotFound: HTTPStatus.NOT_FOUND,
    products.Refusal: HTTPStatus.CONFLICT,
}
RETRY_AFTER_SECONDS = 5


class Refused(APIException):
    """A refusal of an application on its way out; `facts` join the body beside `type` and `errors`."""

    def __init__(self, refusal: orders.OrderError | products.Refusal) -> None:
        super().__init__(str(refusal), refusal.code)
        self.status_code = next(STATUSES[kind] for kind in type(refusal).__mro__ if kind in STATUSES)
        self.facts = facts_of(refusal)


def facts_of(refusal: Exception) -> dict[str, Any]:
    """What a program can act on, besides the code."""
    match refusal:
        case orders.TransitionNotAllowed():
            return {"allowedTransitions": list(refusal.allowed)}
        case products.InsufficientStock():
            return {"availableStock": refusal.available}
        case _:
            return {}


class Unavailable(APIException):
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
        case orders.OrderError() | products.Refusal():
            return Refused(exception)
        case products.CatalogueUnavailable():
            return Unavailable("The catalogue cannot be reached just now.", "catalogue_unavailable")
        case OperationalError() | InterfaceError():
            return Unavailable("The orders cannot be reached just now.", "database_unavailable")
        case RequestDataTooBig():
            return BodyTooLarge()
        case SuspiciousOperation():
            return BadRequest()
    return exception


class ExceptionHandler(StandardExceptionHandler):
    """The library's handler, which knows the exceptions of the applications too."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """The exception with a status and one sentence."""
        if isinstance(exc, AuthenticationFailed) and isinstance(exc.detail, dict):
            # simplejwt adds what it thinks of each class of token.
            exc.detail = ErrorDetail(str(exc.detail["detail"]), str(exc.detail["code"]))
        return super().convert_known_exceptions(as_api_exception(exc))

    def format_exception(self, exc: APIException) -> dict[str, Any]:
        """The body, with the facts of a refusal."""
        return super().format_exception(exc) | getattr(exc, "facts", {})


def is_api(request: HttpRequest) -> bool:
    """Whether the request is for the API rather than for a page."""
    return request.path.startswith("/api/")


def error_response(status: HTTPStatus, code: str, detail: str) -> JsonResponse:
    """The same form for what fails outside the views of the API."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "client_error"
    body = {"type": kind, "errors": [{"code": code, "detail": detail, "attr": None}]}
    return JsonResponse(body, status=status, json_dumps_params={"separators": (",", ":")})


def unavailable(exception: Exception) -> JsonResponse:
    """The answer to an outage (see `as_api_exception`) outside the views of the API; raises what is none."""
    outage = as_api_exception(exception)
    if not isinstance(outage, Unavailable):
        raise exception
    detail = cast("ErrorDetail", outage.detail)
    response = error_response(HTTPStatus.SERVICE_UNAVAILABLE, str(detail.code), detail)
    response["Retry-After"] = str(outage.wait)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what Django refuses before a view runs, such as an unknown host."""
    if is_api(request):
        return error_response(HTTPStatus.BAD_REQUEST, BadRequest.default_code, BadRequest.default_detail)
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: a path that nobody serves."""
    if is_api(request):
        return error_response(HTTPStatus.NOT_FOUND, "not_found", "Not found.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: what fails outside the views."""
    if is_api(request):
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "error", "Server Error (500)")
    return defaults.server_error(request)
