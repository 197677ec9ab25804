"""A forgotten password is replaced by a link that a mail brings; no answer tells who has an account."""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders_app.accounts.links import confirm_link, reset_link
from orders_app.accounts.passwords import change_password
from orders_app.accounts.sign_ins import start_sign_in
from orders_app.models import AccountMail, MailAddressChange, SignIn
from tests.concurrency import run_together
from tests.conftest import SetRate
from tests.orders_app.accounts.links import parts_of
from tests.orders_app.api.api_users import ApiUser, attributes, codes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

OLD, NEW = "kettle-orchard-9", "lantern-meadow-7"


@pytest.fixture
def walter() -> User:
    return User.objects.create_user("walter", "walter@example.com", OLD)


def ask(address: object) -> Any:
    return ApiUser().request("POST", "auth/password/reset/", {"email": address})


def reset(link: str, password: str = NEW) -> Any:
    return ApiUser().request(
        "POST", "auth/password/reset/confirm/", parts_of(link) | {"newPassword": password}
    )


def sign_in(password: str) -> int:
    body = {"username": "walter", "password": password}
    return int(ApiUser().request("POST", "auth/token/", body).status_code)


def test_asking_is_answered_alike_by_the_same_statements_whether_or_not_there_is_an_account(
    walter: User,
) -> None:
    answers, statements = [], []
    for address in ("walter@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as asked:
            answers.append(ask(address))
        statements.append([query["sql"].replace(address, "…") for query in asked])
    assert [answer.status_code for answer in answers] == [204, 204]
    assert [answer.content for answer in answers] == [b"", b""]
    assert len(statements[0]) == len(statements[1])
    assert not any("auth_user" in statement for statement in statements[0])
    kept = set(AccountMail.objects.values_list("kind", "address"))
    assert kept == {("password_reset", "walter@example.com"), ("password_reset", "nobody@example.com")}


def test_a_text_that_is_no_address_is_refused() -> None:
    for address in ("nowhere", "", None, 7, "a@example.com\nBcc: b@example.com", "a" * 300 + "@example.com"):
        answer = ask(address)
        assert (answer.status_code, attributes(answer)) == (400, ["email"]), address
    assert not AccountMail.objects.exists()


def test_a_new_password_ends_all_sign_ins_and_the_lock_of_the_name(walter: User, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    tokens = start_sign_in(user=walter)
    assert sign_in("wrong") == 429
    browser = Client()
    browser.force_login(walter)
    assert browser.get("/api/v1/auth/me/").status_code == 200
    assert reset(reset_link(User.objects.get())).status_code == 204
    assert browser.get("/api/v1/auth/me/").status_code == 401
    assert not SignIn.objects.filter(ended_at=None).exists()
    refreshed = ApiUser().request("POST", "auth/token/refresh/", {"refresh": tokens["refresh"]})
    assert refreshed.status_code == 401
    assert sign_in(NEW) == 200
    assert sign_in(OLD) in (401, 429)


def test_a_link_works_once(walter: User) -> None:
    link = reset_link(walter)
    assert reset(link).status_code == 204
    again = reset(link, "meadow-lantern-7")
    assert (again.status_code, codes(again), attributes(again)) == (400, ["link_invalid"], ["token"])
    assert sign_in(NEW) == 200


def test_of_two_uses_of_a_link_at_once_one_counts(walter: User) -> None:
    link = reset_link(walter)
    passwords = [NEW, "meadow-lantern-7", "orchard-kettle-8"]
    answers = run_together(
        *[lambda password=password: reset(link, password).status_code for password in passwords]
    )
    assert sorted(answers) == [204, 400, 400]
    assert [sign_in(password) for password in passwords] == [
        200 if answer == 204 else 401 for answer in answers
    ]


@pytest.mark.parametrize(
    "event",
    [
        lambda user: change_password(user=user, password="another-orchard-9"),
        lambda user: User.objects.filter(pk=user.pk).update(email="new@example.com"),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: user.delete(),
        lambda user: sign_in(OLD),
    ],
    ids=["a changed password", "a changed address", "a deactivated user", "a deleted user", "a sign-in"],
)
def test_a_link_is_void_after(walter: User, event: Callable[[User], object]) -> None:
    link = reset_link(walter)
    event(walter)
    assert codes(reset(link)) == ["link_invalid"]


def test_a_link_is_valid_for_an_hour(walter: User) -> None:
    link = reset_link(walter)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert codes(reset(link)) == ["link_invalid"]
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert reset(link).status_code == 204


def test_a_password_that_the_rules_refuse_leaves_the_link_valid(walter: User) -> None:
    link = reset_link(walter)
    for bad in ("short", "12345678901", "walter@example.com"):
        refused = reset(link, bad)
        assert (refused.status_code, set(attributes(refused))) == (400, {"newPassword"}), refused.content
    assert reset(link).status_code == 204


def test_a_link_of_one_kind_or_user_opens_nothing_else(walter: User) -> None:
    anna = User.objects.create_user("anna", "anna@example.com", OLD)
    MailAddressChange.objects.create(user=walter, address="new@example.com", requested_at=timezone.now())
    body = {"newPassword": NEW}
    mixed = parts_of(reset_link(walter)) | {"uid": parts_of(reset_link(anna))["uid"]}
    for parts in (parts_of(confirm_link(walter)), mixed):
        answer = ApiUser().request("POST", "auth/password/reset/confirm/", parts | body)
        assert codes(answer) == ["link_invalid"]
    assert codes(ApiUser().request("POST", "auth/email/confirm/", parts_of(reset_link(walter)))) == [
        "link_invalid"
    ]


def test_asking_is_limited_by_caller_and_by_address_in_any_form(set_rate: SetRate) -> None:
    set_rate("mail_address", "2/hour")
    addresses = ("Nobody@example.com", "nobody@EXAMPLE.com", " nobody@example.com")
    assert [ask(address).status_code for address in addresses] == [204, 204, 429]
    set_rate("account_mail", "1/hour")
    assert [ask(f"{n}@example.com").status_code for n in range(2)] == [204, 429]


def test_asking_takes_as_long_for_an_account_as_for_none(walter: User) -> None:
    times: dict[str, list[float]] = {"walter@example.com": [], "nobody@example.com": []}
    for _ in range(40):
        for address, seconds in times.items():
            start = time.perf_counter()
            ask(address)
            seconds.append(time.perf_counter() - start)
    one, other = (median(seconds) for seconds in times.values())
    assert max(one, other) < 1.5 * min(one, other), times
