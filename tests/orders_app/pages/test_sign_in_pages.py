"""Signing in and out, registering, and asking for a new password on the pages of the shop."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders_app.models import AccountMail
from tests.conftest import SetRate
from tests.orders_app.pages.browsing import words_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"
NEW = {"username": "zoe", "email": "zoe@example.com", "password": PASSWORD}


@pytest.fixture
def walter(quick_passwords: None) -> User:
    return User.objects.create_user("walter", "walter@example.com", PASSWORD)


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


@pytest.mark.usefixtures("walter")
@pytest.mark.parametrize(
    ("wanted", "goal"),
    [
        ("", "/"),
        ("/checkout/", "/checkout/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/login/", "/"),
        ("/login/?next=/cart/", "/"),
    ],
)
def test_signing_in_leads_to_where_the_customer_came_from(wanted: str, goal: str) -> None:
    browser = Client()
    form = {"username": " Walter", "password": PASSWORD, "next": wanted}
    answer = browser.post("/login/", form)
    assert (answer.status_code, answer["Location"]) == (302, goal)
    assert is_signed_in(browser)
    assert browser.get("/login/", {"next": wanted})["Location"] == goal


@pytest.mark.usefixtures("walter")
def test_who_may_not_open_a_page_can_sign_in_with_another_account() -> None:
    browser = Client()
    browser.post("/login/", {"username": "walter", "password": PASSWORD})
    refusal = browser.get("/board/")
    assert refusal.status_code == 403
    assert 'href="/login/?another&amp;next=/board/"' in refusal.content.decode()
    form = browser.get("/login/?another&next=/board/")
    assert form.status_code == 200
    assert 'name="next" value="/board/"' in form.content.decode()


@pytest.mark.usefixtures("walter")
@pytest.mark.parametrize("name", ["walter", "nobody", "x\x01y"])
def test_a_wrong_password_and_an_unknown_name_are_told_with_the_form(name: str) -> None:
    answer = Client().post("/login/", {"username": name, "password": "wrong", "next": "/checkout/"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "No account has this user name" in page or "no control characters" in page
    assert 'value="/checkout/"' in page
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.usefixtures("walter")
def test_too_many_wrong_passwords_are_told_with_the_form(settings: Any) -> None:
    form = {"username": "walter", "password": "wrong"}
    answers = [Client().post("/login/", form) for _ in range(settings.LOGIN_FAILURES + 1)]
    assert answers[-1].status_code == 429
    assert f"Wait {settings.LOGIN_LOCK_MINUTES} minutes" in words_of(answers[-1])
    assert Client().post("/login/", form | {"password": PASSWORD}).status_code == 429


@pytest.mark.parametrize("path", ["/login/", "/register/", "/account/password/forgotten/"])
def test_the_forms_are_limited_and_need_the_token_of_the_page(path: str, set_rate: SetRate) -> None:
    assert Client(enforce_csrf_checks=True).post(path, NEW).status_code == 403
    set_rate("login", "1/hour")
    answers = [Client().post(path, NEW | {"email": "wrong"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [422, 429]
    assert int(answers[1]["Retry-After"]) > 0


def test_signing_out_ends_the_session(walter: User) -> None:
    browser = Client()
    browser.force_login(walter)
    page = browser.post("/logout/", follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert "You are signed out." in words_of(page)
    assert not is_signed_in(browser)
    assert browser.get("/logout/").status_code == 405


def test_a_visitor_makes_an_account_and_is_signed_in() -> None:
    browser = Client()
    answer = browser.post("/register/", NEW | {"next": "/checkout/"})
    assert answer["Location"] == "/checkout/"
    user = User.objects.get()
    assert (user.username, user.email, user.is_staff) == ("zoe", "zoe@example.com", False)
    assert is_signed_in(browser)
    assert browser.get("/register/")["Location"] == "/"


@pytest.mark.usefixtures("walter")
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"username": "WALTER"}, "already exists"),
        ({"username": "a b"}, "Enter a valid username"),
        ({"username": ""}, "This field is required."),
        ({"email": "zoe"}, "Enter a valid email address."),
        ({"password": "12345678"}, "entirely numeric"),
        ({"password": "zoe"}, "too short"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_told_beside_its_field(wrong: dict[str, str], told: str) -> None:
    answer = Client().post("/register/", NEW | wrong)
    assert answer.status_code == 422
    assert told in words_of(answer)
    assert PASSWORD not in answer.content.decode()
    assert User.objects.count() == 1


def test_a_link_to_a_new_password_is_asked_for_without_telling_who_has_an_account(walter: User) -> None:
    answers = []
    for address in ("walter@example.com", "nobody@example.com"):
        browser = Client()
        answers.append(browser.post("/account/password/forgotten/", {"email": address}, follow=True))
    assert [words_of(answer) for answer in answers] == [words_of(answers[0])] * 2
    assert "If there is an account with this address" in words_of(answers[0])
    assert list(AccountMail.objects.order_by("id").values_list("kind", "address")) == [
        ("password_reset", "walter@example.com"),
        ("password_reset", "nobody@example.com"),
    ]


def test_mails_to_one_address_are_limited(set_rate: SetRate) -> None:
    set_rate("mail_address", "1/hour")
    form = {"email": "walter@example.com"}
    answers = [Client().post("/account/password/forgotten/", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 429]
