"""Limits on requests and sign-ins, and the answer to a client above a limit."""

import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django import Settings

from tests.adapters import TO_THE_VIEW
from tests.conftest import SetRate
from tests.orders_app.api.api_users import ApiUser, codes
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored
from tests.products_app.api.callers import service
from tests.wsgi_client import WsgiClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"
UNKNOWN = "665f1f77bcf86cd799439011"


@pytest.fixture
def walter() -> User:
    return User.objects.create_user("walter", password=PASSWORD, is_staff=True, is_superuser=True)


def sign_in(name: str = "walter", password: str = PASSWORD, **meta: str) -> Any:
    person = ApiUser()
    person.client.defaults |= meta
    return person.request("POST", "auth/token/", {"username": name, "password": password})


def register(number: int) -> Any:
    body = {"username": f"new-{number}", "email": "new@example.com", "password": PASSWORD}
    return ApiUser().request("POST", "auth/register/", body)


def test_registrations_from_one_address_are_limited(set_rate: SetRate) -> None:
    set_rate("registration", "2/hour")
    assert [register(number).status_code for number in range(2)] == [201, 201]
    refused = register(2)
    assert (refused.status_code, codes(refused)) == (429, ["throttled"])
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert User.objects.count() == 2


def test_sign_ins_are_limited_by_address_and_by_name(set_rate: SetRate, walter: User) -> None:
    set_rate("login", "3/hour")
    set_rate("login_name", "2/hour")
    assert [sign_in().status_code for _ in range(2)] == [200, 200]
    assert sign_in(REMOTE_ADDR="10.0.0.1").status_code == 429, "the name is counted wherever it comes from"
    assert sign_in("somebody").status_code == 401
    assert sign_in("anybody").status_code == 429, "attempts with different names count for the address"


def test_a_header_from_the_client_does_not_change_its_address(set_rate: SetRate, walter: User) -> None:
    set_rate("login", "1/hour")
    assert sign_in(HTTP_X_FORWARDED_FOR="10.0.0.1").status_code == 200
    assert sign_in(HTTP_X_FORWARDED_FOR="10.0.0.2").status_code == 429


def test_requests_of_a_user_above_a_set_rate_are_refused_and_change_nothing(
    set_rate: SetRate, placer: OrderPlacer, customer: ApiUser, other: ApiUser
) -> None:
    set_rate("user", "1/hour")
    order = placer.place()
    assert customer.request("GET", f"orders/{order.id}/").status_code == 200
    before = all_that_is_stored()
    assert customer.request("PATCH", f"orders/{order.id}/cancel/").status_code == 429
    assert all_that_is_stored() == before
    assert other.request("GET", "orders/").status_code == 200


DOORS: dict[str, tuple[str, str, int]] = {
    "a route of the signed in": ("GET", "orders/", 401),
    "a hot endpoint": ("POST", "orders/", 401),
    "an endpoint of services": ("POST", f"products/{UNKNOWN}/reserve/", 401),
    "a route for everybody": ("GET", "orders/statuses/", 200),
    "no route": ("GET", "nothing/", 404),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_all_requests_of_the_api_count_for_their_address_whatever_they_are_answered(
    door: str, accept: str, set_rate: SetRate, mongodb: str
) -> None:
    method, path, status = DOORS[door]
    set_rate("address", "3/hour")
    anybody = ApiUser()
    headers = {"Accept": accept, "X-Forwarded-For": "10.0.0.1"}
    answers = [anybody.request(method, path, {}, headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [status] * 3 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 3600
    anybody.client.defaults["REMOTE_ADDR"] = "10.0.0.2"
    assert anybody.request(method, path, {}, headers).status_code == status
    assert Client().get("/health/live").status_code == 200


def test_a_service_counts_for_its_key_and_not_for_its_address(set_rate: SetRate, mongodb: str) -> None:
    set_rate("address", "2/hour")
    set_rate("service", "3/hour")
    path = f"/api/v1/products/{UNKNOWN}/reserve/"

    def ask(client: WsgiClient, headers: dict[str, str] | None = None) -> int:
        return int(client.post(path, {"quantity": 1, "orderId": "o"}, headers=headers).status_code)

    first, second = service(), service()
    assert [ask(first), ask(first, TO_THE_VIEW), ask(first), ask(first)] == [404, 404, 404, 429]
    assert ask(second) == 404
    first.credentials(HTTP_AUTHORIZATION="Api-Key aaaaaaaa.b")
    assert [ask(first), ask(first), ask(first)] == [401, 401, 429]


def test_refusals_are_counted_by_kind(set_rate: SetRate) -> None:
    def refused() -> float:
        return REGISTRY.get_sample_value("stockbridge_requests_throttled_total", {"kind": "address"}) or 0

    before = refused()
    set_rate("address", "1/hour")
    for _ in range(3):
        ApiUser().request("GET", "orders/statuses/")
    assert refused() == before + 2


def test_refusals_of_each_kind_are_counted_from_0(settings: Settings) -> None:
    kinds = "[each.labels['kind'] for each in REQUESTS_THROTTLED.collect()[0].samples]"
    code = f"from foundation.metrics import REQUESTS_THROTTLED; print(*{kinds})"
    begun = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(begun.split()) == settings.REQUEST_RATES.keys()


def test_without_a_rate_a_request_needs_no_further_statement(
    customer: ApiUser, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert customer.request("GET", "orders/statuses/").status_code == 200


def test_wrong_passwords_lock_the_name_and_the_address_out_together(settings: Any, walter: User) -> None:
    wrong = [sign_in(password="wrong").status_code for _ in range(settings.LOGIN_FAILURES)]
    assert wrong == [401] * (settings.LOGIN_FAILURES - 1) + [429]
    refused = sign_in()
    assert (refused.status_code, codes(refused)) == (429, ["locked_out"])
    assert refused["Retry-After"] == str(settings.LOGIN_LOCK_MINUTES * 60)
    assert sign_in(REMOTE_ADDR="10.0.0.1").status_code == 200, "the owner elsewhere gets in"


def test_wrong_passwords_lock_the_admin_and_the_session_login_too(settings: Any, walter: User) -> None:
    form = {"username": "walter", "password": "wrong"}
    for path in ("/admin/login/", "/api/session/login/"):
        for _ in range(settings.LOGIN_FAILURES // 2):
            status = Client().post(path, form).status_code
    assert status == 429
    for path in ("/admin/login/", "/api/session/login/"):
        browser = Client()
        assert browser.post(path, form | {"password": PASSWORD}).status_code == 429
        assert "_auth_user_id" not in browser.session
    assert codes(sign_in()) == ["locked_out"]


def test_a_right_password_resets_the_count_of_wrong_ones(settings: Any, walter: User) -> None:
    for _ in range(2):
        for _ in range(settings.LOGIN_FAILURES - 1):
            assert sign_in(password="wrong").status_code == 401
        assert sign_in().status_code == 200


PAGES = ("/admin/login/", "/api/session/login/")


def at_page(path: str, name: str, address: str = "10.0.0.7") -> Any:
    return Client(REMOTE_ADDR=address).post(path, {"username": name, "password": "wrong"})


@pytest.mark.parametrize("path", PAGES)
def test_a_page_counts_by_address_whatever_the_name(path: str, set_rate: SetRate) -> None:
    set_rate("login", "3/hour")
    assert [at_page(path, f"name-{number}").status_code for number in range(4)] == [200, 200, 200, 429]
    refused = at_page(path, "another")
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert Client(REMOTE_ADDR="10.0.0.7").get(path).status_code == 200, "looking at the page is no attempt"
    assert at_page(path, "another", "10.0.0.8").status_code == 200


def doors(name: str, address: str) -> list[Callable[[], int]]:
    """One attempt at each door that takes a name."""
    person = ApiUser()
    person.client.defaults["REMOTE_ADDR"] = address
    body = {"username": name, "password": "wrong", "email": "a@example.com"}
    return [
        *[lambda path=path: int(at_page(path, name, address).status_code) for path in PAGES],
        lambda: int(person.request("POST", "auth/token/", body).status_code),
        lambda: int(person.request("POST", "auth/register/", body).status_code),
    ]


def test_all_doors_count_together_by_address_and_by_name(set_rate: SetRate, walter: User) -> None:
    set_rate("login", "4/hour")
    assert [door() for door in doors("somebody", "10.0.0.1")] == [200, 200, 401, 400]
    assert [door() for door in doors("anybody", "10.0.0.1")] == [429] * 4
    set_rate("login", "1000/hour")
    set_rate("login_name", "2/hour")
    forms = ("zed", " zed", "ZED\t", "\uff3aed")
    answers = [doors(form, f"10.0.1.{number}")[number]() for number, form in enumerate(forms)]
    assert answers == [200, 200, 429, 429]


def test_a_change_of_the_password_counts_with_the_sign_ins_of_the_name(
    set_rate: SetRate, walter: User
) -> None:
    set_rate("login_name", "2/hour")
    assert sign_in("WALTER").status_code == 200
    person = ApiUser()
    person.client.force_login(walter)
    body = {"oldPassword": "wrong", "newPassword": "lantern-meadow-7"}
    answers = [person.request("POST", "auth/password/change/", body).status_code for _ in range(2)]
    assert answers == [400, 429]
    browser = Client()
    browser.force_login(walter)
    form = {"old_password": PASSWORD, "new_password1": "x", "new_password2": "x"}
    assert browser.post("/admin/password_change/", form).status_code == 429


def test_refreshes_count_by_address_and_by_user_but_not_with_attempts_of_strangers(
    set_rate: SetRate, walter: User
) -> None:
    tokens = sign_in().json()

    def refresh(token: str, address: str) -> Any:
        person = ApiUser()
        person.client.defaults["REMOTE_ADDR"] = address
        return person.request("POST", "auth/token/refresh/", {"refresh": token})

    set_rate("login_name", "1/hour")
    assert [sign_in("walter", "wrong").status_code for _ in range(2)] == [401, 429]
    set_rate("token_name", "1/hour")
    renewed = refresh(tokens["refresh"], "10.0.0.1").json()
    assert refresh(renewed["refresh"], "10.0.0.2").status_code == 429
    set_rate("token_name", "100/hour")
    set_rate("login", "2/hour")
    assert [refresh("nonsense", "10.0.0.3").status_code for _ in range(3)] == [401, 401, 429]


SAME_ADDRESSES = {
    "IPv4 as IPv6": ("10.0.0.9", "::ffff:10.0.0.9"),
    "spellings of IPv6": ("2001:db8::1", "2001:0DB8:0:0::0001"),
    "addresses of one network": ("2001:db8::1", "2001:db8::ffff:1"),
}


@pytest.mark.parametrize("case", SAME_ADDRESSES)
def test_one_client_counts_as_one_however_its_address_is_written(case: str, set_rate: SetRate) -> None:
    set_rate("login", "1/hour")
    first, second = SAME_ADDRESSES[case]
    assert [sign_in("a", REMOTE_ADDR=first).status_code, sign_in("b", REMOTE_ADDR=second).status_code] == [
        401,
        429,
    ]
    assert sign_in("c", REMOTE_ADDR="2001:db8:1::1").status_code == 401


@pytest.mark.parametrize(
    "sent", ["unknown", "_hidden", "10.0.0.1:443", "[2001:db8::1]:443", "fe80::1%eth0", ""]
)
def test_what_a_proxy_writes_as_address_is_no_server_error(sent: str, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    assert sign_in("walter", HTTP_X_FORWARDED_FOR=sent).status_code == 401
    assert (
        Client(HTTP_X_FORWARDED_FOR=sent)
        .post("/admin/login/", {"username": "a", "password": "b"})
        .status_code
        == 200
    )


def test_a_lock_holds_for_every_form_of_a_name_and_is_removed_by_any(settings: Any, walter: User) -> None:
    for _ in range(settings.LOGIN_FAILURES):
        sign_in("WALTER ", "wrong")
    assert codes(sign_in()) == ["locked_out"]
    call_command("axes_reset_username", "Walter", stdout=StringIO())
    assert sign_in().status_code == 200
