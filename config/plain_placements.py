"""The hot request, past DRF and what Django does for browsers: placing an order by a token, in plain JSON.

Only the straight way to success is here. Whatever is not plain, and whatever is refused, goes on to the view,
which alone says why; nothing has been placed by then. Both ways give the same answer to the same request
(tests/config/test_plain_placements.py); what this one saves is in docs/adr/0013.
"""

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from rest_framework.exceptions import APIException

from config.errors import unavailable
from config.middleware import View
from orders_app.api.authentication import AccessTokenAuthentication
from orders_app.api.bodies import decoder
from orders_app.api.order_shapes import PlaceOrder
from orders_app.api.placement import headers_of, orders_path, place
from orders_app.api.throttles import are_requests_counted
from orders_app.exceptions import OrderError
from products_app.exceptions import CatalogueUnavailable

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.request import Request

JSON = "application/json"
BEARER = re.compile(r"Bearer \S")
TAKES_JSON = {"*/*", JSON}
REFUSALS = (
    OrderError,
    APIException,
    SuspiciousOperation,
    RequestDataTooBig,
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
)
OUTAGES = (OperationalError, InterfaceError, CatalogueUnavailable)


def answer_plain_placements(get_response: View) -> View:
    """Middleware: place the order of a plain request; everything else goes on."""

    def answered(request: HttpRequest) -> HttpResponse:
        return (_is_plain(request) and _answer(request)) or get_response(request)

    return answered


def _is_plain(request: HttpRequest) -> bool:
    meta = request.META
    return bool(
        request.method == "POST"
        and request.path_info == orders_path()
        and meta.get("CONTENT_TYPE") == JSON
        and meta.get("HTTP_ACCEPT", "*/*") in TAKES_JSON
        and BEARER.match(meta.get("HTTP_AUTHORIZATION", ""))
        and not meta.get("QUERY_STRING")
        and not are_requests_counted()
    )


@cache
def _match() -> ResolverMatch:
    return resolve(orders_path())


def _answer(request: HttpRequest) -> HttpResponse | None:
    """The answer, or nothing where the order has to be refused."""
    try:
        request.get_host()
        _authenticate(request)
        placement = place(request, decoder(PlaceOrder).decode(request.body))
    except REFUSALS:
        return None
    except OUTAGES as error:
        # Not the view's: whether the order was placed is unknown then, and it must not be placed again.
        response: HttpResponse = unavailable(error)
    else:
        body = msgspec.json.encode(placement.order)
        response = HttpResponse(body, JSON, HTTPStatus.CREATED, headers=headers_of(placement))
    request.resolver_match = _match()
    return _as_from_the_view(response)


def _authenticate(request: HttpRequest) -> None:
    found = AccessTokenAuthentication().authenticate(cast("Request", request))
    assert found is not None, "_is_plain has seen a token"
    request.user = cast("User", found[0])


def _as_from_the_view(response: HttpResponse) -> HttpResponse:
    response["Allow"] = "GET, POST, HEAD, OPTIONS"
    response["Vary"] = "Accept"
    response["Content-Length"] = str(len(response.content))
    return response
