"""Registration, sign-in, and refreshing tokens."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from orders_app.accounts.sign_ins import start_sign_in
from tests.concurrency import run_together
from tests.orders_app.api.api_users import ApiUser, Json, attributes, codes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"
REGISTRATION = {"username": "walter", "email": "walter@example.com", "password": PASSWORD}


@pytest.fixture
def walter() -> User:
    return User.objects.create_user("walter", "walter@example.com", PASSWORD)


def claims(tokens: Json) -> Json:
    payload = AccessToken(tokens["access"]).payload
    return {name: payload[name] for name in ("user_id", "username", "is_staff")}


def sign_in(password: str = PASSWORD) -> Any:
    return ApiUser().request("POST", "auth/token/", {"username": "walter", "password": password})


def refresh(token: str) -> Any:
    return ApiUser().request("POST", "auth/token/refresh/", {"refresh": token})


def test_name_and_password_give_tokens_with_the_users_claims(walter: User) -> None:
    response = sign_in()
    assert response.status_code == 200, response.content
    assert claims(response.json()) == {"user_id": str(walter.pk), "username": "walter", "is_staff": False}
    person = ApiUser()
    person.client.credentials(HTTP_AUTHORIZATION=f"Bearer {response.json()['access']}")
    assert person.request("GET", "orders/").status_code == 200


def test_a_wrong_password_and_an_inactive_user_are_refused_alike(walter: User) -> None:
    wrong = sign_in("wrong")
    walter.is_active = False
    walter.save()
    inactive = sign_in()
    assert wrong.status_code == inactive.status_code == 401
    assert wrong.json() == inactive.json()
    assert codes(wrong) == ["no_active_account"]


def test_refreshing_gives_a_new_pair_with_current_claims(walter: User) -> None:
    old = start_sign_in(user=walter)
    walter.is_staff = True
    walter.username = "walter-the-clerk"
    walter.save()
    response = refresh(old["refresh"])
    assert response.status_code == 200, response.content
    assert claims(response.json()) == {
        "user_id": str(walter.pk),
        "username": "walter-the-clerk",
        "is_staff": True,
    }
    assert refresh(response.json()["refresh"]).status_code == 200


def test_a_refresh_token_is_valid_once(walter: User) -> None:
    token = start_sign_in(user=walter)["refresh"]
    assert refresh(token).status_code == 200
    again = refresh(token)
    assert (again.status_code, codes(again), attributes(again)) == (401, ["token_not_valid"], [None])


def test_a_reused_refresh_token_ends_its_sign_in_and_no_other(walter: User) -> None:
    first, elsewhere = start_sign_in(user=walter)["refresh"], start_sign_in(user=walter)["refresh"]
    second = refresh(first).json()["refresh"]
    third = refresh(second).json()["refresh"]
    assert refresh(first).status_code == 401
    assert refresh(third).status_code == 401, "the successor may be in the hands of a thief"
    assert refresh(elsewhere).status_code == 200


def test_of_two_concurrent_refreshes_one_is_refused(walter: User) -> None:
    token = start_sign_in(user=walter)["refresh"]
    answers = run_together(*[lambda: refresh(token)] * 2)
    answered = {answer.status_code: answer for answer in answers}
    assert answered.keys() == {200, 401}
    assert refresh(answered[200].json()["refresh"]).status_code == 401, "the second use ended the sign-in"


def test_an_inactive_or_deleted_user_cannot_refresh(walter: User) -> None:
    first, second = start_sign_in(user=walter)["refresh"], start_sign_in(user=walter)["refresh"]
    walter.is_active = False
    walter.save()
    inactive = refresh(first)
    walter.delete()
    deleted = refresh(second)
    assert inactive.status_code == deleted.status_code == 401
    assert codes(inactive) == codes(deleted) == ["no_active_account"]


def test_only_a_valid_refresh_token_refreshes(walter: User) -> None:
    forged = RefreshToken.for_user(walter)
    for token in (start_sign_in(user=walter)["access"], str(forged)[:-4] + "AAAA", "nonsense"):
        response = refresh(token)
        assert (response.status_code, codes(response)) == (401, ["token_not_valid"]), token
    assert attributes(ApiUser().request("POST", "auth/token/refresh/", {})) == ["refresh"]


def test_an_invalid_token_is_one_error_with_www_authenticate() -> None:
    person = ApiUser()
    person.client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    response = person.request("GET", "orders/")
    assert (response.status_code, codes(response), attributes(response)) == (401, ["token_not_valid"], [None])
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_registering_creates_a_customer_who_is_signed_in() -> None:
    response = ApiUser().request("POST", "auth/register/", REGISTRATION | {"is_staff": True, "isStaff": True})
    assert response.status_code == 201, response.content
    user = User.objects.get(username="walter")
    assert response.json()["user"] == {
        "id": str(user.pk),
        "username": "walter",
        "email": "walter@example.com",
    }
    assert claims(response.json()) == {"user_id": str(user.pk), "username": "walter", "is_staff": False}
    assert (user.is_staff, user.is_superuser, user.check_password(PASSWORD)) == (False, False, True)
    assert sign_in().status_code == 200
    assert PASSWORD.encode() not in response.content


def test_an_invalid_registration_is_refused_by_field(walter: User, subtests: pytest.Subtests) -> None:
    new = REGISTRATION | {"username": "new"}
    refused: list[tuple[Json, str, str]] = [
        (REGISTRATION, "username", "unique"),
        (new | {"username": "a b"}, "username", "invalid"),
        (new | {"username": ""}, "username", "blank"),
        (new | {"email": "nowhere"}, "email", "invalid"),
        ({"username": "new", "password": PASSWORD}, "email", "required"),
        (new | {"password": "short"}, "password", "password_too_short"),
        (new | {"password": "password1"}, "password", "password_too_common"),
        (new | {"password": "48151623"}, "password", "password_entirely_numeric"),
        (new | {"username": "kettle-orchard"}, "password", "password_too_similar"),
        (new | {"password": "x" * 129}, "password", "max_length"),
    ]
    for body, attribute, code in refused:
        with subtests.test(f"{attribute} {code}"):
            response = ApiUser().request("POST", "auth/register/", body)
            assert response.status_code == 400
            assert (attribute, code) in zip(attributes(response), codes(response), strict=True)
    assert User.objects.count() == 1


def test_of_two_concurrent_registrations_of_one_name_one_is_refused() -> None:
    answers = run_together(
        *[lambda: ApiUser().request("POST", "auth/register/", REGISTRATION).status_code] * 2
    )
    assert set(answers) == {201, 400}
    assert User.objects.count() == 1
