"""Every route of the system for every caller: the status of its answer; a refusal changes nothing."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml
from bson import ObjectId
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import get_resolver

from orders_app.accounts.links import confirm_link, reset_link
from orders_app.accounts.own_account import change_account
from orders_app.accounts.sign_ins import start_sign_in
from orders_app.document import OrderDocument
from orders_app.mail.unsubscribing import unsubscribe_url
from orders_app.state_machine import OrderStatus, PaymentMethod
from products_app.services.catalogue import create_product
from tests.orders_app.accounts.links import parts_of
from tests.orders_app.api.api_users import ADDRESS, order_body
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.paying import pay, record, taken
from tests.routes import routes
from tests.web.callers import CALLERS, Users, everything, send_request, unsigned
from tests.wsgi_client import CSRF_TOKEN, WsgiClient

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_passwords", "payment_gateway"),
]

API = "api/v1/"
PASSWORD = "kettle-orchard-9"


class RouteObjects(NamedTuple):
    """The objects that a route is tried on, created anew for each caller."""

    users: Users
    placer: OrderPlacer
    number: int

    def order(self, *statuses: OrderStatus) -> str:
        return str(self.placer.place_and_move(*statuses).id)

    def prepaid_order(self) -> OrderDocument:
        return self.placer.place(PaymentMethod.CREDIT_CARD)

    def paid_order(self) -> OrderDocument:
        order = self.prepaid_order()
        pay(order)
        record(taken(order))
        return order

    def product(self) -> str:
        product = create_product(name="Lantern", price=Decimal(10), stock=5)
        self.placer.catalogue.added.append(ObjectId(product.id))
        return product.id


class RouteCase(NamedTuple):
    """A method of a route: the request, and the statuses of the answers in the order of CALLERS."""

    answers: tuple[int, ...]
    path: Callable[[RouteObjects], str] | None = None
    body: Callable[[RouteObjects], object] | None = None
    changes: bool = True


def to_all(status: int) -> tuple[int, ...]:
    """The same status for every caller, with any token."""
    return (status,) * len(CALLERS)


def public(status: int = 200) -> tuple[int, ...]:
    """The same status for every caller without an invalid token."""
    return (status, status, status, status, status, 401, 401)


def staff_alone(status: int) -> tuple[int, ...]:
    return (401, 403, 403, status, 401, 401, 401)


def owner_and_staff(status: int = 200, other: int = 404) -> tuple[int, ...]:
    return (401, status, other, status, 401, 401, 401)


def signed_in(status: int) -> tuple[int, ...]:
    return (401, status, status, status, 401, 401, 401)


SERVICES = (401, 401, 401, 401, 200, 401, 401)


def of_order(path: str, *statuses: OrderStatus) -> Callable[[RouteObjects], str]:
    return lambda objects: path.format(objects.order(*statuses))


def of_number(action: str = "") -> Callable[[RouteObjects], str]:
    """The page of an order, which is for sessions: a request with a token is sent to sign in."""
    return lambda objects: f"orders/{objects.placer.place().order_number}/{action}"


def of_prepaid_order(path: str) -> Callable[[RouteObjects], str]:
    return lambda objects: ORDER.format(objects.prepaid_order().id) + path


def of_paid_order(path: str) -> Callable[[RouteObjects], str]:
    return lambda objects: ORDER.format(objects.paid_order().id) + path


def of_product(path: str) -> Callable[[RouteObjects], str]:
    return lambda objects: path.format(objects.product())


def credentials(objects: RouteObjects) -> object:
    return {"username": objects.users.owner.username, "password": PASSWORD}


def registration(objects: RouteObjects) -> object:
    return {"username": f"new-{objects.number}", "email": "new@example.com", "password": PASSWORD}


def refresh(objects: RouteObjects) -> object:
    return {"refresh": start_sign_in(user=objects.users.owner)["refresh"]}


def reset(objects: RouteObjects) -> object:
    user = User.objects.get(pk=objects.users.owner.pk)
    return parts_of(reset_link(user)) | {"newPassword": f"{PASSWORD}-or-{objects.number}"}


def confirmation(objects: RouteObjects) -> object:
    user, address = User.objects.get(pk=objects.users.owner.pk), f"new-{objects.number}@example.com"
    change_account(user=user, names={}, mail={}, address=address)
    return parts_of(confirm_link(user))


def table(objects: RouteObjects) -> object:
    return f"sku,name,price\nrow-{objects.number},Lantern,10\n"


def line(objects: RouteObjects) -> object:
    return {"quantity": 1, "orderId": f"order-{objects.number}"}


def link_in_a_mail(objects: RouteObjects) -> str:
    reader = User.objects.create_user(f"reader-{objects.number}")
    return urlsplit(unsubscribe_url(str(reader.pk))).path.lstrip("/")


ORDER_PAGE = "orders/<order_number:number>"
PRODUCT = {"name": "Rope", "price": "3.00"}
ORDER, PRODUCTS = "api/v1/orders/{}/", "api/v1/products/{}/"

ROUTE_CASES: dict[tuple[str, str], RouteCase] = {
    ("GET", ""): RouteCase(to_all(200)),
    ("GET", "products/<str:product_id>/"): RouteCase(to_all(200), of_product("products/{}/")),
    ("GET", "board/"): RouteCase(to_all(302)),
    ("GET", "board/figures/"): RouteCase(to_all(302)),
    ("GET", "board/proof/"): RouteCase(to_all(302)),
    ("GET", "board/proof/figures/"): RouteCase(to_all(302)),
    ("GET", "orders/"): RouteCase(to_all(302)),
    ("GET", f"{ORDER_PAGE}/"): RouteCase(to_all(302), of_number()),
    ("POST", f"{ORDER_PAGE}/cancel/"): RouteCase(to_all(302), of_number("cancel/"), changes=False),
    ("POST", f"{ORDER_PAGE}/pay/"): RouteCase(to_all(302), of_number("pay/"), changes=False),
    ("POST", f"{ORDER_PAGE}/address/"): RouteCase(to_all(302), of_number("address/"), changes=False),
    ("POST", "language/"): RouteCase(to_all(302), changes=False),
    ("GET", "cart/"): RouteCase(to_all(200)),
    ("POST", "cart/"): RouteCase(to_all(302), changes=False),
    ("POST", "cart/lines/<str:product_id>/"): RouteCase(
        to_all(302), of_product("cart/lines/{}/"), changes=False
    ),
    ("GET", "checkout/"): RouteCase(to_all(302)),
    ("POST", "checkout/"): RouteCase(to_all(302), changes=False),
    ("GET", "login/"): RouteCase(to_all(200)),
    ("POST", "login/"): RouteCase(to_all(422)),
    ("POST", "logout/"): RouteCase(to_all(302), changes=False),
    ("GET", "register/"): RouteCase(to_all(200)),
    ("POST", "register/"): RouteCase(to_all(422)),
    ("GET", "account/"): RouteCase(to_all(302)),
    **{
        ("POST", f"account/{part}/"): RouteCase(to_all(302), changes=False)
        for part in ("names", "email", "mail", "password")
    },
    ("GET", "account/password/forgotten/"): RouteCase(to_all(200)),
    ("POST", "account/password/forgotten/"): RouteCase(to_all(422)),
    ("GET", "insights/"): RouteCase(to_all(302)),
    ("GET", "insights/figures/"): RouteCase(to_all(302)),
    ("GET", "api/v1/"): RouteCase(public()),
    ("GET", "api/schema/"): RouteCase(public()),
    ("GET", "api/docs/"): RouteCase(public()),
    ("GET", "api/schemas/"): RouteCase(to_all(200)),
    ("GET", "api/schemas/<str:name>.json"): RouteCase(
        to_all(200), lambda _: "api/schemas/order.created.v1.json"
    ),
    ("GET", "api/asyncapi/"): RouteCase(to_all(200)),
    ("GET", "api/events/"): RouteCase(to_all(200)),
    ("GET", "api/session/login/"): RouteCase(to_all(200)),
    ("POST", "api/session/logout/"): RouteCase(to_all(200), changes=False),
    ("GET", "mail/unsubscribe/<str:token>/"): RouteCase(to_all(200), link_in_a_mail),
    ("POST", "mail/unsubscribe/<str:token>/"): RouteCase(to_all(200), link_in_a_mail),
    ("GET", "health/live"): RouteCase(to_all(200)),
    ("GET", "health/ready"): RouteCase(to_all(200)),
    ("GET", "metrics"): RouteCase(to_all(200)),
    ("POST", "api/v1/auth/token/"): RouteCase(to_all(200), body=credentials),
    ("POST", "api/v1/auth/token/refresh/"): RouteCase(to_all(200), body=refresh),
    ("POST", "api/v1/auth/register/"): RouteCase(to_all(201), body=registration),
    ("POST", "api/v1/auth/logout/"): RouteCase(to_all(204), body=refresh),
    ("POST", "api/v1/auth/password/change/"): RouteCase(
        signed_in(204), body=lambda _: {"oldPassword": PASSWORD, "newPassword": f"{PASSWORD}-or-10"}
    ),
    ("POST", "api/v1/auth/password/reset/"): RouteCase(
        to_all(204), body=lambda _: {"email": "who@example.com"}
    ),
    ("POST", "api/v1/auth/password/reset/confirm/"): RouteCase(to_all(204), body=reset),
    ("POST", "api/v1/auth/email/confirm/"): RouteCase(to_all(204), body=confirmation),
    ("GET", "api/v1/auth/me/"): RouteCase(signed_in(200)),
    ("PATCH", "api/v1/auth/me/"): RouteCase(
        signed_in(200), body=lambda objects: {"lastName": f"Number {objects.number}"}
    ),
    ("GET", "account/password/reset/"): RouteCase(to_all(200)),
    ("GET", "account/email/confirm/"): RouteCase(to_all(200)),
    ("GET", "api/v1/products/"): RouteCase(public()),
    ("POST", "api/v1/products/"): RouteCase(staff_alone(201), body=lambda _: PRODUCT),
    ("GET", "api/v1/products/export/"): RouteCase(staff_alone(200)),
    ("POST", "api/v1/products/import/"): RouteCase(staff_alone(200), body=table),
    ("GET", "api/v1/products/<str:product_id>/"): RouteCase(public(), of_product(PRODUCTS)),
    ("PUT", "api/v1/products/<str:product_id>/"): RouteCase(
        staff_alone(200), of_product(PRODUCTS), lambda _: PRODUCT
    ),
    ("PATCH", "api/v1/products/<str:product_id>/"): RouteCase(
        staff_alone(200), of_product(PRODUCTS), lambda _: {"price": "0.01"}
    ),
    ("DELETE", "api/v1/products/<str:product_id>/"): RouteCase(staff_alone(204), of_product(PRODUCTS)),
    ("POST", "api/v1/products/<str:product_id>/reserve/"): RouteCase(
        SERVICES, of_product(PRODUCTS + "reserve/"), line
    ),
    ("POST", "api/v1/products/<str:product_id>/release/"): RouteCase(
        SERVICES, of_product(PRODUCTS + "release/"), line
    ),
    ("POST", "api/v1/products/<str:product_id>/receive/"): RouteCase(
        staff_alone(200), of_product(PRODUCTS + "receive/"), lambda _: {"quantity": 1, "reason": "Delivery"}
    ),
    ("POST", "api/v1/products/<str:product_id>/adjust/"): RouteCase(
        staff_alone(200), of_product(PRODUCTS + "adjust/"), lambda _: {"quantity": -1, "reason": "Broken"}
    ),
    ("GET", "api/v1/products/<str:product_id>/stock/"): RouteCase(
        staff_alone(200), of_product(PRODUCTS + "stock/")
    ),
    ("GET", "api/v1/orders/"): RouteCase(signed_in(200)),
    ("POST", "api/v1/orders/"): RouteCase(
        signed_in(201), body=lambda objects: order_body((objects.product(), 1))
    ),
    ("GET", "api/v1/orders/statuses/"): RouteCase(public()),
    ("GET", "api/v1/orders/user/<int:user_id>/"): RouteCase(
        owner_and_staff(other=403), lambda objects: f"api/v1/orders/user/{objects.users.owner.pk}/"
    ),
    ("GET", "api/v1/orders/<uuid:pk>/"): RouteCase(owner_and_staff(), of_order(ORDER)),
    ("PATCH", "api/v1/orders/<uuid:pk>/"): RouteCase(
        owner_and_staff(), of_order(ORDER), lambda _: {"shippingAddress": ADDRESS | {"city": "Lee"}}
    ),
    ("DELETE", "api/v1/orders/<uuid:pk>/"): RouteCase(
        staff_alone(204), of_order(ORDER, OrderStatus.CANCELLED)
    ),
    ("PATCH", "api/v1/orders/<uuid:pk>/cancel/"): RouteCase(owner_and_staff(), of_order(ORDER + "cancel/")),
    ("GET", "api/v1/orders/<uuid:pk>/history/"): RouteCase(owner_and_staff(), of_order(ORDER + "history/")),
    ("POST", "api/v1/orders/<uuid:pk>/pay/"): RouteCase(
        (401, 202, 404, 403, 401, 401, 401),
        of_prepaid_order("pay/"),
        lambda _: {"paymentToken": "pm_card_visa"},
    ),
    ("GET", "api/v1/orders/<uuid:pk>/payments/"): RouteCase(owner_and_staff(), of_order(ORDER + "payments/")),
    ("POST", "api/v1/orders/<uuid:pk>/refund/"): RouteCase(
        staff_alone(202), of_paid_order("refund/"), lambda _: {"reason": "Broken.", "amount": "0.50"}
    ),
    **{
        ("GET", f"api/v1/analytics/{route}/"): RouteCase(staff_alone(200))
        for route in ("summary", "timeseries", "products", "funnel", "latency", "reasons")
    },
    # Its door is the gateway's signature, which none of these callers has.
    ("POST", "api/v1/payments/webhook/"): RouteCase(to_all(400), body=lambda _: {"id": "evt_1"}),
    ("PATCH", "api/v1/orders/<uuid:pk>/status/"): RouteCase(
        staff_alone(200),
        of_order(ORDER + "status/", OrderStatus.PROCESSING, OrderStatus.SHIPPED),
        lambda _: {"status": 4},
    ),
}
"""The table. A route that is not in it fails `test_no_route_is_missing_in_the_table`."""


@pytest.fixture
def users(placer: OrderPlacer) -> Users:
    owner = User.objects.get(pk=placer.user_id)
    owner.set_password(PASSWORD)
    owner.save()
    other = User.objects.create_user("other", password=PASSWORD)
    return Users(owner, other, User.objects.create_user("sam", password=PASSWORD, is_staff=True))


ALL_ROUTES = sorted(set(routes(get_resolver())))
ADMIN_ROUTES = [route for route in ALL_ROUTES if route.startswith("admin/")]


def test_no_route_is_missing_in_the_table() -> None:
    in_table = {route for _, route in ROUTE_CASES}
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
    assert described - {(method, unnamed(route)) for method, route in ROUTE_CASES} == set()


@pytest.mark.usefixtures("clean_catalogue")
@pytest.mark.parametrize(("method", "route"), ROUTE_CASES, ids=lambda part: part)
def test_each_caller_is_answered_as_the_table_says(
    method: str, route: str, placer: OrderPlacer, users: Users
) -> None:
    route_case = ROUTE_CASES[method, route]
    for number, (caller, expected) in enumerate(zip(CALLERS, route_case.answers, strict=True)):
        objects = RouteObjects(users, placer, number)
        path, body, header = (
            sent(route_case, route, objects),
            route_case.body and route_case.body(objects),
            users.header(caller),
        )
        before = everything()
        response = send_request(WsgiClient(), method, path, body, authorization=header)
        assert response.status_code == expected, (caller, response.content)
        changed = everything() != before
        assert changed is (method != "GET" and expected < 400 and route_case.changes), caller
        if expected == 401:
            assert response["WWW-Authenticate"].split()[0] in {"Bearer", "Api-Key"}


def sent(route_case: RouteCase, route: str, objects: RouteObjects) -> str:
    """The path of the route for these objects."""
    return route_case.path(objects) if route_case.path else route


BY_TOKEN_OR_SESSION = [
    key for key, route_case in ROUTE_CASES.items() if key[0] != "GET" and route_case.answers[0] == 401
]


@pytest.mark.parametrize(("method", "route"), BY_TOKEN_OR_SESSION, ids=lambda part: part)
def test_neither_an_unsigned_token_nor_a_session_without_its_csrf_token_writes(
    method: str, route: str, placer: OrderPlacer, users: Users
) -> None:
    route_case, objects = ROUTE_CASES[method, route], RouteObjects(users, placer, 0)
    browser = WsgiClient(csrf_token=False)
    browser.force_login(users.staff)
    browser.cookies["csrftoken"] = CSRF_TOKEN
    path, body = sent(route_case, route, objects), route_case.body and route_case.body(objects)
    before = everything()
    answer = send_request(WsgiClient(), method, path, body, authorization=unsigned(users.staff))
    assert answer.status_code == 401
    without = send_request(browser, method, path, body)
    assert without.status_code == (401 if route_case.answers == SERVICES else 403)
    assert everything() == before
    with_token = send_request(browser, method, path, body, x_csrftoken=CSRF_TOKEN)
    assert with_token.status_code == route_case.answers[CALLERS.index("staff")], with_token.content


def test_a_customer_sets_no_field_of_an_order_but_the_address(placer: OrderPlacer, users: Users) -> None:
    path, owner = ORDER.format(placer.place().id), users.header("owner")
    before = everything()
    for field in {*OrderDocument.__struct_encode_fields__, "password", "isStaff"} - {"shippingAddress"}:
        body = {field: 2, "shippingAddress": ADDRESS | {"city": "Lee"}}
        response = send_request(WsgiClient(), "PATCH", path, body, authorization=owner)
        assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, field)
    assert everything() == before


OPEN_IN_ADMIN = {"admin/login/", "admin/jsi18n/", "admin/logout/"}


def admin_path(route: str) -> str:
    return re.sub(r"<[^>]*>|\(\?P<[^>]*>[^)]*\)", "1", route).rstrip("$")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_admin_redirects_every_caller_but_staff_to_its_login(method: str, users: Users) -> None:
    customer = WsgiClient()
    customer.force_login(users.owner)
    before = everything()
    for route in sorted(set(ADMIN_ROUTES) - OPEN_IN_ADMIN):
        for browser, header in ((WsgiClient(), ""), (customer, ""), (WsgiClient(), users.header("staff"))):
            response = send_request(browser, method, admin_path(route), None, authorization=header)
            assert response.status_code == 302, route
            assert response["Location"].startswith("/admin/login/"), route
    assert everything() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_staff_without_a_role_see_and_change_nothing_in_the_admin(method: str, users: Users) -> None:
    browser = WsgiClient()
    browser.force_login(users.staff)
    before = everything()
    of_models = [route for route in ADMIN_ROUTES if re.match(r"admin/(?!password|r/)\w+/\w+/", route)]
    assert len(of_models) > 20
    for route in of_models:
        response = send_request(browser, method, admin_path(route), None)
        # The page of an order is only read: a POST is refused before anything else.
        assert response.status_code in {302, 403, 404, 405}, route
        # The page of a missing object redirects to the front page, which lists nothing.
        if response.status_code == 302 and response["Location"] != "/admin/":
            answer = send_request(browser, method, response["Location"].lstrip("/"), None)
            assert answer.status_code in {403, 404, 405}, route
    assert everything() == before
