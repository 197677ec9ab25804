"""Unusual requests to every route of the API are answered in the API's form, and none is a server error."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.ordering import OrderPlacer
from tests.web.callers import CALLERS, Users, everything, send_request
from tests.web.test_every_route import ROUTE_CASES, RouteObjects, sent
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)

API_ROUTES = sorted({route for _, route in ROUTE_CASES if route.startswith("api/v1/")})
LISTS = [
    route for method, route in ROUTE_CASES if method == "GET" and re.match("api/v1/(orders|products)/", route)
]
WHATEVER = (
    "",
    "\x00",
    "a" * 300,
    "9" * 5_000,
    "-1",
    "1,",
    "[]",
    "é",
    "2026-02-30",
    "99999-01-01",
    "true",
    "1e400",
)
NAMES = (
    *("status", "createdAfter", "createdBefore"),
    *("category", "brand", "tags", "minPrice", "maxPrice", "inStock", "lowStock", "isActive"),
    *("search", "ordering", "page", "pageSize", "holdsPage", "movementsPage", "format"),
)


@pytest.fixture
def users(placer: OrderPlacer) -> Users:
    owner = User.objects.get(pk=placer.user_id)
    return Users(owner, User.objects.create_user("other"), User.objects.create_user("sam", is_staff=True))


def path_of(route: str, objects: RouteObjects) -> str:
    """A path of the route, with an object that exists."""
    case = next(case for (_, of), case in ROUTE_CASES.items() if of == route)
    return sent(case, route, objects)


@pytest.mark.parametrize("route", API_ROUTES)
def test_options_of_every_route_is_answered_to_every_caller(
    route: str, placer: OrderPlacer, users: Users
) -> None:
    path = path_of(route, RouteObjects(users, placer, 0))
    for caller in CALLERS:
        for address in (path, path.rstrip("/")):
            answer = send_request(WsgiClient(), "OPTIONS", address, None, authorization=users.header(caller))
            assert answer.status_code in {200, 401, 403}, (caller, answer.content)


@pytest.mark.parametrize("route", LISTS)
def test_no_parameter_of_a_route_is_a_server_error(route: str, placer: OrderPlacer, users: Users) -> None:
    path = path_of(route, RouteObjects(users, placer, 0))
    browser = WsgiClient()
    browser.credentials(HTTP_AUTHORIZATION=users.header("staff"))
    before = everything()
    for name in NAMES:
        for value in WHATEVER:
            answer = browser.get(f"/{path}", {name: value})
            assert answer.status_code in {200, 400, 401, 404, 405}, (name, value, answer.content)
    assert everything() == before


PATHS: tuple[str, ...] = (
    "orders/user/99999999999999999999/",
    f"orders/user/{'9' * 5_000}/",
    "orders/user/-1/",
    "products/%00/",
    "products/%ff%fe/",
    f"products/{'a' * 5_000}/",
    "products/%F0%9F%92%A9/reserve/",
    "orders/%2e%2e/",
    "orders/00000000-0000-0000-0000-000000000000/%00/",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PROPFIND"])
def test_no_path_is_a_server_error(path: str, method: str, transactional_db: Any) -> None:
    answer = ApiUser(1, is_staff=True).request(method, path, {})
    assert answer.status_code in {200, 400, 401, 404, 405}, answer.content
