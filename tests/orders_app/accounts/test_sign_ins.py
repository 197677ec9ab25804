"""A sign-in ends by log-out, a change of the password, the end of its user, and time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import jwt
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from orders_app.accounts.ended_sign_ins import ended_sign_ins
from orders_app.accounts.passwords import check_password
from orders_app.accounts.sign_ins import start_sign_in
from orders_app.models import SignIn
from tests.orders_app.api.api_users import ApiUser, Json, attributes, claims_of, codes, order_body
from tests.orders_app.ordering import OrderPlacer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD, NEW_PASSWORD = "kettle-orchard-9", "lantern-meadow-7"


@pytest.fixture(autouse=True)
def no_end_is_known() -> Iterator[None]:
    yield
    ended_sign_ins.ids = frozenset()


@pytest.fixture
def walter(transactional_db: None) -> User:
    return User.objects.create_superuser("walter", "walter@example.com", PASSWORD)


def refresh(tokens: Json) -> Any:
    return ApiUser().request("POST", "auth/token/refresh/", {"refresh": tokens["refresh"]})


def log_out(tokens: Json) -> Any:
    return ApiUser().request("POST", "auth/logout/", {"refresh": tokens["refresh"]})


def signed_in(tokens: Json) -> ApiUser:
    person = ApiUser()
    person.client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    return person


def change_password(person: ApiUser, old: str = PASSWORD, new: str = NEW_PASSWORD) -> Any:
    return person.request("POST", "auth/password/change/", {"oldPassword": old, "newPassword": new})


def status(tokens: Json) -> int:
    """The status of a request with the access token, in a process that has read the ended sign-ins."""
    ended_sign_ins.read()
    return int(signed_in(tokens).request("GET", "orders/").status_code)


def test_both_tokens_carry_the_id_of_their_sign_in_through_every_refresh(walter: User) -> None:
    first = start_sign_in(user=walter)
    second = refresh(first).json()
    ids = {claims_of(token)["sid"] for token in (*first.values(), *second.values())}
    assert ids == {SignIn.objects.get().id}


def test_a_log_out_ends_its_sign_in_and_no_other(walter: User) -> None:
    phone, laptop = start_sign_in(user=walter), start_sign_in(user=walter)
    newer = refresh(phone).json()
    assert log_out(newer).status_code == 204
    answer = refresh(newer)
    assert (answer.status_code, codes(answer)) == (401, ["token_not_valid"])
    assert "sign in again" in answer.json()["errors"][0]["detail"]
    assert [status(tokens) for tokens in (phone, newer, laptop)] == [401, 401, 200]
    assert refresh(laptop).status_code == 200


def test_a_log_out_may_be_repeated_and_takes_a_used_token(walter: User) -> None:
    tokens = start_sign_in(user=walter)
    newer = refresh(tokens).json()
    assert [log_out(tokens).status_code for _ in range(2)] == [204, 204]
    assert refresh(newer).status_code == 401


def test_a_log_out_needs_a_valid_refresh_token(walter: User) -> None:
    tokens = start_sign_in(user=walter)
    for wrong in (tokens["access"], tokens["refresh"][:-4] + "AAAA", "nonsense"):
        answer = log_out({"refresh": wrong})
        assert (answer.status_code, codes(answer)) == (401, ["token_not_valid"])
    assert attributes(ApiUser().request("POST", "auth/logout/", {})) == ["refresh"]
    assert refresh(tokens).status_code == 200


def test_changing_the_password_ends_all_sign_ins_and_sessions(walter: User) -> None:
    phone, laptop = start_sign_in(user=walter), start_sign_in(user=walter)
    browser = Client()
    browser.force_login(walter)
    assert change_password(signed_in(phone)).status_code == 204
    assert [refresh(tokens).status_code for tokens in (phone, laptop)] == [401, 401]
    assert [status(tokens) for tokens in (phone, laptop)] == [401, 401]
    assert browser.get("/api/v1/orders/").status_code == 401
    credentials = {"username": "walter", "password": NEW_PASSWORD}
    again = ApiUser().request("POST", "auth/token/", credentials).json()
    assert status(again) == refresh(again).status_code == 200
    assert ApiUser().request("POST", "auth/token/", credentials | {"password": PASSWORD}).status_code == 401


def test_a_session_changes_the_password_too(walter: User) -> None:
    person = ApiUser()
    person.client.force_login(walter)
    assert change_password(person).status_code == 204
    assert User.objects.get().check_password(NEW_PASSWORD)


def test_a_password_is_changed_by_its_owner_and_to_a_good_one(walter: User) -> None:
    tokens = start_sign_in(user=walter)
    answer = change_password(signed_in(tokens), old="wrong", new=" " * 8)
    assert answer.status_code == 400
    assert dict(zip(attributes(answer), codes(answer), strict=True)) == {
        "oldPassword": "password_incorrect",
        "newPassword": "password_too_short",
    }
    assert change_password(signed_in(tokens), new="walter@example").status_code == 400
    assert change_password(ApiUser()).status_code == 401
    assert User.objects.get().check_password(PASSWORD)
    assert refresh(tokens).status_code == 200


def test_wrong_old_passwords_lock_like_those_at_the_log_in(settings: Any, walter: User) -> None:
    person = signed_in(start_sign_in(user=walter))
    for _ in range(settings.LOGIN_FAILURES):
        answer = change_password(person, old="wrong")
    assert (answer.status_code, codes(answer)) == (429, ["locked_out"])
    assert change_password(person).status_code == 429


def by_command(user: User) -> None:
    with patch("getpass.getpass", return_value=NEW_PASSWORD):
        call_command("changepassword", user.username, stdout=StringIO())


def in_the_admin(user: User) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert browser.post(f"/admin/auth/user/{user.pk}/password/", form).status_code == 302


def by_the_owner_in_the_admin(user: User) -> None:
    browser = Client()
    browser.force_login(user)
    form = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert browser.post("/admin/password_change/", form).status_code == 302


def without_a_password(user: User) -> None:
    user.set_unusable_password()
    user.save()


ENDS: dict[str, Callable[[User], object]] = {
    "in the admin": in_the_admin,
    "by the owner in the admin": by_the_owner_in_the_admin,
    "by manage.py changepassword": by_command,
    "by taking the password away": without_a_password,
    "by a query": lambda user: User.objects.filter(pk=user.pk).update(password="!"),
    "by deactivating the user": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "by deleting the user": lambda user: user.delete(),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_sign_in_ends(end: str, walter: User) -> None:
    tokens, other = start_sign_in(user=walter), start_sign_in(user=User.objects.create_user("other"))
    ENDS[end](User.objects.get(pk=walter.pk))
    assert (status(tokens), refresh(tokens).status_code) == (401, 401)
    assert (status(other), refresh(other).status_code) == (200, 200)


def test_other_changes_of_a_user_end_no_sign_in(walter: User) -> None:
    tokens = start_sign_in(user=walter)
    walter.email, walter.is_staff = "new@example.com", False
    walter.save()
    assert (status(tokens), refresh(tokens).status_code) == (200, 200)


def test_a_deactivation_that_is_taken_back_does_not_bring_sign_ins_back(walter: User) -> None:
    tokens = start_sign_in(user=walter)
    for is_active in (False, True):
        User.objects.filter(pk=walter.pk).update(is_active=is_active)
    assert refresh(tokens).status_code == 401


def test_a_chain_of_refreshes_ends(settings: Any, walter: User) -> None:
    settings.SIGN_IN_DAYS = 30
    tokens = refresh(start_sign_in(user=walter)).json()
    SignIn.objects.update(expires_at=F("expires_at") - timedelta(days=30, seconds=-60))
    last = refresh(tokens).json()
    ends = SignIn.objects.get().expires_at.timestamp()
    for token in last.values():
        assert claims_of(token)["exp"] <= ends
    SignIn.objects.update(expires_at=F("expires_at") - timedelta(seconds=60))
    assert refresh(last).status_code == 401


def test_a_password_that_changed_while_it_was_checked_starts_no_sign_in(
    walter: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_after_check(*args: Any) -> User:
        user = check_password(*args)
        User.objects.filter(pk=user.pk).update(password="!")
        return user

    monkeypatch.setattr("orders_app.accounts.views.check_password", change_after_check)
    credentials = {"username": "walter", "password": PASSWORD}
    assert ApiUser().request("POST", "auth/token/", credentials).status_code == 401
    assert not SignIn.objects.exists()


def test_old_sign_ins_of_a_user_are_deleted_when_a_new_one_starts(walter: User) -> None:
    for _ in range(2):
        start_sign_in(user=walter)
    SignIn.objects.update(expires_at=F("created_at") - timedelta(seconds=1))
    start_sign_in(user=walter)
    assert SignIn.objects.count() == 1


def test_an_ended_sign_in_places_no_order_and_asks_no_database(
    walter: User, placer: OrderPlacer, django_assert_num_queries: Any
) -> None:
    tokens = start_sign_in(user=walter)
    body = order_body((placer.catalogue.add(), 1))
    assert signed_in(tokens).request("POST", "orders/", body).status_code == 201
    log_out(tokens)
    ended_sign_ins.read()
    person = signed_in(tokens)
    with django_assert_num_queries(0):
        answer = person.request("POST", "orders/", body)
    assert (answer.status_code, codes(answer)) == (401, ["token_not_valid"])


def signed(tokens: Json, key: str, algorithm: str = "HS256") -> str:
    return jwt.encode(claims_of(tokens["access"]), key, algorithm)


def expired(tokens: Json) -> str:
    token = AccessToken()
    token.payload |= claims_of(tokens["access"])
    token.set_exp(lifetime=timedelta(seconds=-1))
    return str(token)


WRONG_TOKENS: dict[str, tuple[Callable[[Json], str], str]] = {
    "none at all": (lambda _: "nonsense", "malformed"),
    "cut off": (lambda tokens: tokens["access"].rpartition(".")[0], "malformed"),
    "of the other type": (lambda tokens: tokens["refresh"], "another type"),
    "signed by another": (lambda tokens: signed(tokens, "k" * 50), "not signed by this installation"),
    "not signed": (lambda tokens: signed(tokens, "", "none"), "another way"),
    "expired": (expired, "has expired: get a new one"),
}


@pytest.mark.parametrize("case", WRONG_TOKENS)
def test_a_refused_token_is_told_what_is_wrong_with_it(case: str, walter: User) -> None:
    make, words = WRONG_TOKENS[case]
    person = ApiUser()
    person.client.credentials(HTTP_AUTHORIZATION=f"Bearer {make(start_sign_in(user=walter))}")
    for method, path in (("GET", "orders/"), ("POST", "orders/")):
        answer = person.request(method, path, {} if method == "POST" else None)
        assert (answer.status_code, codes(answer)) == (401, ["token_not_valid"])
        assert words in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_of_a_token_may_be_in_any_case(scheme: str, walter: User, placer: OrderPlacer) -> None:
    person = ApiUser()
    person.client.credentials(HTTP_AUTHORIZATION=f"{scheme} {start_sign_in(user=walter)['access']}")
    assert person.request("GET", "orders/").status_code == 200
    assert person.request("POST", "orders/", order_body((placer.catalogue.add(), 1))).status_code == 201
    person.client.credentials(HTTP_AUTHORIZATION=f"{scheme}")
    assert codes(person.request("GET", "orders/")) == ["bad_authorization_header"]
