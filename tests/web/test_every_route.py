"""Every route of the system for every caller: who is answered how, and that a refusal changes nothing."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver

from orders_app.accounts.serializers import create_token_pair
from orders_app.document import OrderDocument
from orders_app.state_machine import OrderStatus
from products_app.services.catalogue import create_product
from tests.front_door import CSRF_TOKEN, FrontDoor
from tests.orders_app.api.people import ADDRESS, order_body
from tests.orders_app.ordering import Desk
from tests.web.callers import CALLERS, People, ask, everything, unsigned

pytestmark = pytest.mark.django_db(transaction=True)

API = "api/v1/"
PASSWORD = "kettle-orchard-9"


class Scene(NamedTuple):
    """What a door is tried on: made anew for each caller."""

    people: People
    desk: Desk
    number: int

    def order(self, *statuses: OrderStatus) -> str:
        return str(self.desk.place_in(*statuses).id)

    def product(self) -> str:
        product = create_product(name="Lantern", price=Decimal(10), stock=5)
        self.desk.catalogue.added.append(product.id)
        return str(product.id)


class Door(NamedTuple):
    """A way in: what is sent there, and the answers in the order of CALLERS."""

    answers: tuple[int, ...]
    path: Callable[[Scene], str] | None = None
    body: Callable[[Scene], object] | None = None
    changes: bool = True


def to_all(status: int) -> tuple[int, ...]:
    """Whoever it is, and with whatever token."""
    return (status,) * len(CALLERS)


def public(status: int = 200) -> tuple[int, ...]:
    """Everybody, but nobody with a bad token."""
    return (status, status, status, status, status, 401, 401)


def staff_alone(status: int) -> tuple[int, ...]:
    return (401, 403, 403, status, 401, 401, 401)


def owner_and_staff(status: int = 200, other: int = 404) -> tuple[int, ...]:
    return (401, status, other, status, 401, 401, 401)


def signed_in(status: int) -> tuple[int, ...]:
    return (401, status, status, status, 401, 401, 401)


SERVICES = (401, 401, 401, 401, 200, 401, 401)


def of_order(path: str, *statuses: OrderStatus) -> Callable[[Scene], str]:
    return lambda scene: path.format(scene.order(*statuses))


def of_product(path: str) -> Callable[[Scene], str]:
    return lambda scene: path.format(scene.product())


def credentials(scene: Scene) -> object:
    return {"username": scene.people.owner.username, "password": PASSWORD}


def registration(scene: Scene) -> object:
    return {"username": f"new-{scene.number}", "email": "new@example.com", "password": PASSWORD}


def refresh(scene: Scene) -> object:
    return {"refresh": create_token_pair(scene.people.owner)["refresh"]}


def line(scene: Scene) -> object:
    return {"quantity": 1, "orderId": f"order-{scene.number}"}


PRODUCT = {"name": "Rope", "price": "3.00"}
ORDER, PRODUCTS = "api/v1/orders/{}/", "api/v1/products/{}/"

DOORS: dict[tuple[str, str], Door] = {
    ("GET", "api/v1/"): Door(public()),
    ("GET", "api/schema/"): Door(public()),
    ("GET", "api/docs/"): Door(public()),
    ("GET", "api/session/login/"): Door(to_all(200)),
    ("POST", "api/session/logout/"): Door(to_all(200), changes=False),
    ("GET", "health/live"): Door(to_all(200)),
    ("GET", "health/ready"): Door(to_all(200)),
    ("GET", "metrics"): Door(to_all(200)),
    ("POST", "api/v1/auth/token/"): Door(to_all(200), body=credentials),
    ("POST", "api/v1/auth/token/refresh/"): Door(to_all(200), body=refresh),
    ("POST", "api/v1/auth/register/"): Door(to_all(201), body=registration),
    ("GET", "api/v1/products/"): Door(public()),
    ("POST", "api/v1/products/"): Door(staff_alone(201), body=lambda _: PRODUCT),
    ("GET", "api/v1/products/<str:product_id>/"): Door(public(), of_product(PRODUCTS)),
    ("PUT", "api/v1/products/<str:product_id>/"): Door(
        staff_alone(200), of_product(PRODUCTS), lambda _: PRODUCT
    ),
    ("PATCH", "api/v1/products/<str:product_id>/"): Door(
        staff_alone(200), of_product(PRODUCTS), lambda _: {"price": "0.01"}
    ),
    ("DELETE", "api/v1/products/<str:product_id>/"): Door(staff_alone(204), of_product(PRODUCTS)),
    ("POST", "api/v1/products/<str:product_id>/reserve/"): Door(
        SERVICES, of_product(PRODUCTS + "reserve/"), line
    ),
    ("POST", "api/v1/products/<str:product_id>/release/"): Door(
        SERVICES, of_product(PRODUCTS + "release/"), line
    ),
    ("GET", "api/v1/orders/"): Door(signed_in(200)),
    ("POST", "api/v1/orders/"): Door(signed_in(201), body=lambda scene: order_body((scene.product(), 1))),
    ("GET", "api/v1/orders/statuses/"): Door(public()),
    ("GET", "api/v1/orders/user/<int:user_id>/"): Door(
        owner_and_staff(other=403), lambda scene: f"api/v1/orders/user/{scene.people.owner.pk}/"
    ),
    ("GET", "api/v1/orders/<uuid:pk>/"): Door(owner_and_staff(), of_order(ORDER)),
    ("PATCH", "api/v1/orders/<uuid:pk>/"): Door(
        owner_and_staff(), of_order(ORDER), lambda _: {"shippingAddress": ADDRESS | {"city": "Lee"}}
    ),
    ("DELETE", "api/v1/orders/<uuid:pk>/"): Door(staff_alone(204), of_order(ORDER, OrderStatus.CANCELLED)),
    ("PATCH", "api/v1/orders/<uuid:pk>/cancel/"): Door(owner_and_staff(), of_order(ORDER + "cancel/")),
    ("GET", "api/v1/orders/<uuid:pk>/history/"): Door(owner_and_staff(), of_order(ORDER + "history/")),
    ("PATCH", "api/v1/orders/<uuid:pk>/status/"): Door(
        staff_alone(200), of_order(ORDER + "status/"), lambda _: {"status": 2}
    ),
}
"""The table. A route that is not in it fails `test_no_route_is_missing_in_the_table`."""


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """The usual hashing is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def people(desk: Desk) -> People:
    owner = User.objects.get(pk=desk.user_id)
    owner.set_password(PASSWORD)
    owner.save()
    return People(owner, User.objects.create_user("other"), User.objects.create_user("sam", is_staff=True))


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Every path of the URL conf, as it is written there."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from routes(pattern, path)


ALL_ROUTES = sorted(set(routes(get_resolver())))
ADMIN_ROUTES = [route for route in ALL_ROUTES if route.startswith("admin/")]


def test_no_route_is_missing_in_the_table() -> None:
    in_table = {route for _, route in DOORS}
    assert in_table == {route for route in ALL_ROUTES if not route.startswith("admin/")}
    assert len(ADMIN_ROUTES) > 20


def test_no_method_of_the_api_is_missing_in_the_table() -> None:
    schema = yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text())

    def unnamed(path: str) -> str:
        return re.sub(r"[<{].*?[>}]", "{}", path.strip("/"))

    described = {
        (method.upper(), unnamed(path)) for path, methods in schema["paths"].items() for method in methods
    }
    assert described
    assert described - {(method, unnamed(route)) for method, route in DOORS} == set()


@pytest.mark.parametrize(("method", "route"), DOORS, ids=lambda part: part)
def test_each_caller_is_answered_as_the_table_says(
    method: str, route: str, desk: Desk, people: People
) -> None:
    door = DOORS[method, route]
    for number, (caller, expected) in enumerate(zip(CALLERS, door.answers, strict=True)):
        scene = Scene(people, desk, number)
        path, body, header = sent(door, route, scene), door.body and door.body(scene), people.header(caller)
        before = everything()
        response = ask(FrontDoor(), method, path, body, authorization=header)
        assert response.status_code == expected, (caller, response.content)
        changed = everything() != before
        assert changed is (method != "GET" and expected < 400 and door.changes), caller
        if expected == 401:
            assert response["WWW-Authenticate"].split()[0] in {"Bearer", "Api-Key"}


def sent(door: Door, route: str, scene: Scene) -> str:
    """The path for this scene."""
    return door.path(scene) if door.path else route


BY_TOKEN_OR_SESSION = [key for key, door in DOORS.items() if key[0] != "GET" and door.answers[0] == 401]


@pytest.mark.parametrize(("method", "route"), BY_TOKEN_OR_SESSION, ids=lambda part: part)
def test_neither_an_unsigned_token_nor_a_session_without_its_csrf_token_writes(
    method: str, route: str, desk: Desk, people: People
) -> None:
    door, scene = DOORS[method, route], Scene(people, desk, 0)
    browser = FrontDoor(csrf_token=False)
    browser.force_login(people.staff)
    browser.cookies["csrftoken"] = CSRF_TOKEN
    path, body = sent(door, route, scene), door.body and door.body(scene)
    before = everything()
    nobody = ask(FrontDoor(), method, path, body, authorization=unsigned(people.staff))
    assert nobody.status_code == 401
    without = ask(browser, method, path, body)
    assert without.status_code == (401 if door.answers == SERVICES else 403)
    assert everything() == before
    with_token = ask(browser, method, path, body, x_csrftoken=CSRF_TOKEN)
    assert with_token.status_code == door.answers[CALLERS.index("staff")], with_token.content


def test_a_customer_sets_no_field_of_an_order_but_the_address(desk: Desk, people: People) -> None:
    path, owner = ORDER.format(desk.place().id), people.header("owner")
    before = everything()
    for field in {*OrderDocument.__struct_encode_fields__, "password", "isStaff"} - {"shippingAddress"}:
        body = {field: 2, "shippingAddress": ADDRESS | {"city": "Lee"}}
        response = ask(FrontDoor(), "PATCH", path, body, authorization=owner)
        assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, field)
    assert everything() == before


OPEN_IN_ADMIN = {"admin/login/", "admin/jsi18n/", "admin/logout/"}


def admin_path(route: str) -> str:
    return re.sub(r"<[^>]*>|\(\?P<[^>]*>[^)]*\)", "1", route).rstrip("$")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_admin_shows_everybody_but_staff_the_way_to_its_login(method: str, people: People) -> None:
    customer = FrontDoor()
    customer.force_login(people.owner)
    before = everything()
    for route in sorted(set(ADMIN_ROUTES) - OPEN_IN_ADMIN):
        for browser, header in ((FrontDoor(), ""), (customer, ""), (FrontDoor(), people.header("staff"))):
            response = ask(browser, method, admin_path(route), None, authorization=header)
            assert response.status_code == 302, route
            assert response["Location"].startswith("/admin/login/"), route
    assert everything() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_staff_without_a_role_see_and_change_nothing_in_the_admin(method: str, people: People) -> None:
    browser = FrontDoor()
    browser.force_login(people.staff)
    before = everything()
    of_models = [route for route in ADMIN_ROUTES if re.match(r"admin/(?!password|r/)\w+/\w+/", route)]
    assert len(of_models) > 20
    for route in of_models:
        response = ask(browser, method, admin_path(route), None)
        assert response.status_code in {302, 403, 404}, route
        # What is not there leads to the front page, which lists nothing.
        if response.status_code == 302 and response["Location"] != "/admin/":
            assert ask(browser, method, response["Location"].lstrip("/"), None).status_code in {403, 404}
    assert everything() == before
