"""What plain requests can ask for: an order by a token, a line by a service's key."""

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from wsgiref.types import WSGIEnvironment

import msgspec
from django.urls import resolve, reverse
from msgspec import Struct
from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from orders_app.accounts.authentication import AccessTokenAuthentication
from orders_app.api.placement import headers_of, orders_path, place
from orders_app.api.shapes import PlaceOrder
from products_app.api.serializers import PlainLine
from products_app.api.service_keys import ServiceKeyAuthentication
from products_app.services.stock.service import release_line, reserve_line
from web.bodies import decoder
from web.middleware import trace_parent_of

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser
    from rest_framework.request import Request

JSON = "application/json"
LINE_SERVICES = {"reserve": reserve_line, "release": release_line}
EXAMPLE_ID = "0" * 24


class PlainRequest:
    """What authentication and services want to know of a request; named as in Django."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.META = environ
        self.body = cast("bytes", environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        self.path = cast("str", environ["PATH_INFO"])
        self.trace_parent = trace_parent_of(environ)
        self.user: AbstractBaseUser | AnonymousUser | None = None


class Answer(Struct, frozen=True):
    """What goes back."""

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes


class Way(Struct, frozen=True):
    """How a request is answered; `answer` raises what refuses it, and the errors of an outage."""

    route: str
    allowed: str
    answer: Callable[[PlainRequest], Answer]


def way_of(path: str) -> Way | None:
    """The way of the requests for this path, where it has one."""
    if path == orders_path():
        return Way(_route("order-list"), "GET, POST, HEAD, OPTIONS", _place)
    if line := _line_path().fullmatch(path):
        product_id, action = line.groups()
        settle = partial(_settle_line, product_id=product_id, action=action)
        return Way(_route(f"product-{action}", EXAMPLE_ID), "POST, OPTIONS", settle)
    return None


@cache
def _line_path() -> re.Pattern[str]:
    return re.compile(f"{re.escape(reverse('product-list'))}([0-9a-f]{{24}})/({'|'.join(LINE_SERVICES)})/")


@cache
def _route(name: str, *arguments: str) -> str:
    return resolve(reverse(name, args=arguments)).route


def _place(request: PlainRequest) -> Answer:
    found = AccessTokenAuthentication().authenticate(cast("Request", request))
    if found is None:
        raise NotAuthenticated
    request.user = found[0]
    placement = place(cast("Request", request), decoder(PlaceOrder).decode(request.body))
    return _answer(HTTPStatus.CREATED, placement.order, headers_of(placement))


def _settle_line(request: PlainRequest, *, product_id: str, action: str) -> Answer:
    found = ServiceKeyAuthentication().authenticate(cast("Request", request))
    if found is None or not found[1].allows(action):
        raise PermissionDenied
    request.user = found[0]
    line = decoder(PlainLine).decode(request.body)
    settle = LINE_SERVICES[action]
    return _answer(
        HTTPStatus.OK, settle(product_id=product_id, order_id=line.order_id, quantity=line.quantity), {}
    )


def _answer(status: HTTPStatus, content: object, headers: Mapping[str, str]) -> Answer:
    return Answer(status, {"Content-Type": JSON, **headers}, msgspec.json.encode(content))
