"""The hot requests, past DRF and what is for browsers: an order by a token, a line by a service's key.

Only the straight way to success is here. Whatever is not plain, and whatever is refused, goes on to the view,
which alone says why; nothing has been done by then. Both ways give the same answer to the same request (tests
compare them); what this one saves is in docs/adr/0013.
"""

import re
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve, reverse
from rest_framework.exceptions import APIException, NotAuthenticated, PermissionDenied

from config.errors import unavailable
from config.middleware import View
from orders_app.api.authentication import AccessTokenAuthentication
from orders_app.api.bodies import decoder
from orders_app.api.order_shapes import PlaceOrder
from orders_app.api.placement import headers_of, orders_path, place
from orders_app.api.throttles import are_requests_counted
from orders_app.exceptions import OrderError
from products_app.api.serializers import PlainLine
from products_app.api.service_keys import ServiceKeyAuthentication
from products_app.exceptions import Refusal
from products_app.services.stock import release_line, reserve_line

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.request import Request

JSON = "application/json"
TAKES_JSON = {"*/*", JSON}
REFUSALS = (
    OrderError,
    Refusal,
    APIException,
    SuspiciousOperation,
    RequestDataTooBig,
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
)
LINE_SERVICES = {"reserve": reserve_line, "release": release_line}
EXAMPLE_ID = "0" * 24
PRODUCT_ID = re.compile("[0-9a-f]{24}")

Way = Callable[[HttpRequest], HttpResponse]


def answer_plain_requests(get_response: View) -> View:
    """Middleware: do what a plain request asks for; everything else goes on."""

    def answered(request: HttpRequest) -> HttpResponse:
        way = _way_of(request.path_info) if _is_plain(request) else None
        return (way and _answer(request, way)) or get_response(request)

    return answered


def _is_plain(request: HttpRequest) -> bool:
    meta = request.META
    return bool(
        request.method == "POST"
        and meta.get("CONTENT_TYPE") == JSON
        and meta.get("HTTP_ACCEPT", "*/*") in TAKES_JSON
        and not meta.get("QUERY_STRING")
        and not are_requests_counted()
    )


def _way_of(path: str) -> Way | None:
    if path == orders_path():
        return _place
    return _settle_line if _line_path().fullmatch(path) else None


@cache
def _line_path() -> re.Pattern[str]:
    path = re.escape(reverse("product-reserve", args=[EXAMPLE_ID]))
    return re.compile(
        path.replace(EXAMPLE_ID, f"({PRODUCT_ID.pattern})").replace("reserve", "(reserve|release)")
    )


def _answer(request: HttpRequest, way: Way) -> HttpResponse | None:
    """The answer, or nothing where the request has to be refused."""
    try:
        request.get_host()
        response = way(request)
    except REFUSALS:
        return None
    except Exception as error:
        # Not the view's: whether the order was placed is unknown then, and it must not be placed again.
        response = unavailable(error)
    # One route for all products.
    request.resolver_match = _route_of(PRODUCT_ID.sub(EXAMPLE_ID, request.path_info))
    response["Allow"] = "GET, POST, HEAD, OPTIONS" if way is _place else "POST, OPTIONS"
    response["Vary"] = "Accept"
    response["Content-Length"] = str(len(response.content))
    return response


@cache
def _route_of(path: str) -> ResolverMatch:
    return resolve(path)


def _place(request: HttpRequest) -> HttpResponse:
    found = AccessTokenAuthentication().authenticate(cast("Request", request))
    if found is None:
        raise NotAuthenticated
    request.user = cast("User", found[0])
    placement = place(request, decoder(PlaceOrder).decode(request.body))
    body = msgspec.json.encode(placement.order)
    return HttpResponse(body, JSON, HTTPStatus.CREATED, headers=headers_of(placement))


def _settle_line(request: HttpRequest) -> HttpResponse:
    product_id, action = cast("re.Match[str]", _line_path().fullmatch(request.path_info)).groups()
    found = ServiceKeyAuthentication().authenticate(cast("Request", request))
    if found is None or not found[1].allows(action):
        raise PermissionDenied
    line = decoder(PlainLine).decode(request.body)
    answer = LINE_SERVICES[action](product_id=product_id, order_id=line.order_id, quantity=line.quantity)
    return HttpResponse(msgspec.json.encode(answer), JSON)
