"""The pages that links in mails open: they act when a button is pressed, and not before."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from orders_app.accounts.links import confirm_link, reset_link
from orders_app.models import MailAddressChange
from tests.conftest import SetRate
from tests.orders_app.accounts.links import parts_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

OLD, NEW = "kettle-orchard-9", "lantern-meadow-7"


@pytest.fixture
def walter() -> User:
    user = User.objects.create_user("walter", "walter@example.com", OLD)
    MailAddressChange.objects.create(user=user, address="new@example.com", requested_at=timezone.now())
    return user


@pytest.fixture(autouse=True)
def public_url(settings: Any) -> None:
    settings.PUBLIC_URL = "http://testserver"


def test_a_link_opens_a_form_that_sets_a_new_password(walter: User) -> None:
    browser, link = Client(), reset_link(walter)
    page = browser.get(link)
    assert page["Cache-Control"] == "no-store"
    assert parts_of(link)["token"] in page.content.decode()
    assert User.objects.get().check_password(OLD)
    done = browser.post("/account/password/reset/", parts_of(link) | {"new_password": NEW})
    assert "Your password has been changed" in done.content.decode()
    assert 'name="token"' not in done.content.decode()
    assert User.objects.get().check_password(NEW)
    again = browser.post("/account/password/reset/", parts_of(link) | {"new_password": OLD})
    assert "This link was used" in again.content.decode()
    assert User.objects.get().check_password(NEW)


def test_a_password_that_the_rules_refuse_is_asked_for_again(walter: User) -> None:
    browser, link = Client(), reset_link(walter)
    page = browser.post(
        "/account/password/reset/", parts_of(link) | {"new_password": "short"}
    ).content.decode()
    assert "too short" in page
    assert parts_of(link)["token"] in page
    assert "short" not in page.replace("too short", "")


def test_an_address_is_confirmed_by_a_button(walter: User) -> None:
    browser, link = Client(), confirm_link(walter)
    assert browser.get(link).status_code == 200
    assert User.objects.get().email == "walter@example.com"
    done = browser.post("/account/email/confirm/", parts_of(link))
    assert "Your e-mail address is confirmed." in done.content.decode()
    assert User.objects.get().email == "new@example.com"
    for again in (browser.get(link), browser.post("/account/email/confirm/", parts_of(link))):
        assert "This link was used" in again.content.decode()
        assert 'name="token"' not in again.content.decode()


def test_what_is_in_a_link_is_escaped() -> None:
    page = Client().get("/account/password/reset/", {"uid": '"><script>1', "token": "<b>"}).content.decode()
    assert "<script>1" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("path", ["/account/password/reset/", "/account/email/confirm/"])
def test_the_pages_need_the_token_of_a_form_and_are_limited(path: str, set_rate: SetRate) -> None:
    assert Client(enforce_csrf_checks=True).post(path, {"uid": "MQ", "token": "x"}).status_code == 403
    set_rate("login", "1/hour")
    assert [Client().post(path, {"uid": "MQ", "token": "x"}).status_code for _ in range(2)] == [200, 429]
