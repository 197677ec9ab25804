"""The pages at which people sign in and out lead somewhere, and answers with secrets are not stored."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.orders_app.api.api_users import ApiUser, order_body
from tests.orders_app.ordering import OrderPlacer
from tests.wsgi_client import WsgiClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"


@pytest.fixture
def walter(transactional_db: None) -> User:
    return User.objects.create_superuser("walter", "walter@example.com", PASSWORD)


FORM = {"username": "walter", "password": PASSWORD}


@pytest.mark.parametrize(
    ("path", "goal"),
    [
        ("/admin/login/", "/admin/"),
        ("/admin/login/?next=", "/admin/"),
        ("/admin/login/?next=https://evil.example/", "/admin/"),
        ("/admin/login/?next=/admin/auth/user/", "/admin/auth/user/"),
        ("/api/session/login/", "/api/v1/"),
        ("/api/session/login/?next=//evil.example", "/api/v1/"),
        ("/api/session/login/?next=/api/v1/orders/", "/api/v1/orders/"),
    ],
)
def test_signing_in_leads_to_a_page(path: str, goal: str, walter: User) -> None:
    answer = Client().post(path, FORM, follow=True)
    assert answer.redirect_chain[-1][0] == goal
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/admin/logout/", "/api/session/logout/"])
def test_signing_out_leads_to_a_page_from_which_one_can_sign_in_again(path: str, walter: User) -> None:
    browser = Client()
    browser.force_login(walter)
    page = browser.post(path, follow=True)
    assert page.status_code == 200
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/admin/login/")


def test_the_owner_of_a_session_changes_the_password_in_the_admin(walter: User) -> None:
    browser = Client()
    browser.force_login(walter)
    assert browser.get("/admin/password_change/").status_code == 200
    form = {
        "old_password": PASSWORD,
        "new_password1": "lantern-meadow-7",
        "new_password2": "lantern-meadow-7",
    }
    done = browser.post("/admin/password_change/", form, follow=True)
    assert (done.status_code, done.redirect_chain) == (200, [("/admin/password_change/done/", 302)])
    assert Client().post("/admin/password_change/").url.startswith("/admin/login/")  # type: ignore[attr-defined]


def test_answers_with_tokens_or_orders_are_not_to_be_stored_and_the_catalogue_may_be(
    placer: OrderPlacer, customer: ApiUser, walter: User
) -> None:
    order = placer.place()
    tokens = ApiUser().request("POST", "auth/token/", FORM)
    registration = {"username": "new", "email": "new@example.com", "password": PASSWORD}
    answers = {
        "tokens": tokens,
        "wrong password": ApiUser().request("POST", "auth/token/", FORM | {"password": "x"}),
        "refresh": ApiUser().request("POST", "auth/token/refresh/", {"refresh": tokens.json()["refresh"]}),
        "registration": ApiUser().request("POST", "auth/register/", registration),
        "log-out": ApiUser().request("POST", "auth/logout/", {"refresh": tokens.json()["refresh"]}),
        "list": customer.request("GET", "orders/"),
        "order": customer.request("GET", f"orders/{order.id}/"),
        "history": customer.request("GET", f"orders/{order.id}/history/"),
        "cancelling": customer.request("PATCH", f"orders/{order.id}/cancel/"),
        "placing": customer.request("POST", "orders/", order_body((placer.catalogue.add(), 1))),
        "placing by the view": customer.request("POST", "orders/?x", order_body((placer.catalogue.add(), 1))),
        "refusal": customer.request("POST", "orders/", {}),
    }
    assert {name: answer["Cache-Control"] for name, answer in answers.items()} == dict.fromkeys(
        answers, "no-store"
    )
    assert "Cache-Control" not in ApiUser().request("GET", "products/")
    browser = WsgiClient()
    browser.force_login(walter)
    for path in ("/api/v1/orders/", f"/admin/orders_app/order/{order.id}/change/", "/admin/login/"):
        assert "no-store" in browser.get(path, headers={"Accept": "text/html"})["Cache-Control"]
