"""Users read and change their own account; a new mail address counts once it is confirmed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from orders_app.accounts.links import confirm_link
from orders_app.accounts.passwords import change_password
from orders_app.models import AccountMail, AccountMailAddress, MailAddressChange, MailPreference
from tests.concurrency import race, run_together
from tests.conftest import SetRate
from tests.orders_app.accounts.links import parts_of
from tests.orders_app.api.api_users import ApiUser, Json, attributes, codes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"
Kind = AccountMail.Kind


@pytest.fixture
def walter() -> User:
    return User.objects.create_user("walter", "walter@example.com", PASSWORD)


def me(user: User, **changes: object) -> Any:
    person = ApiUser(user.pk)
    return person.request("PATCH", "auth/me/", changes) if changes else person.request("GET", "auth/me/")


def confirm(link: str) -> Any:
    return ApiUser().request("POST", "auth/email/confirm/", parts_of(link))


def queued() -> set[tuple[str, str]]:
    return set(AccountMail.objects.values_list("kind", "address"))


def test_an_account_is_shown_to_its_user(walter: User) -> None:
    assert me(walter).json() == {
        "username": "walter",
        "email": "walter@example.com",
        "pendingEmail": None,
        "firstName": "",
        "lastName": "",
        "mailNotifications": True,
    }
    assert me(walter)["Cache-Control"] == "no-store"
    assert ApiUser().request("GET", "auth/me/").status_code == 401


def test_names_and_the_wish_for_mail_are_changed_at_once(walter: User) -> None:
    changed = me(walter, username=" Wälter ", firstName="Walter", lastName="Żak", mailNotifications=False)
    assert changed.status_code == 200, changed.content
    assert changed.json() == me(walter).json()
    assert changed.json() | {"email": ""} == {
        "username": "Wälter",
        "email": "",
        "pendingEmail": None,
        "firstName": "Walter",
        "lastName": "Żak",
        "mailNotifications": False,
    }
    assert not MailPreference.objects.get(user=walter).notifications
    assert me(walter, mailNotifications=True).json()["mailNotifications"] is True
    assert me(walter, firstName="").json()["firstName"] == ""


WRONG: list[tuple[Json, str]] = [
    ({"username": "ANNA"}, "username"),
    ({"username": "a b"}, "username"),
    ({"username": ""}, "username"),
    ({"email": ""}, "email"),
    ({"email": "nowhere"}, "email"),
    ({"firstName": "a\nb"}, "firstName"),
    ({"lastName": "a\u2028b"}, "lastName"),
    ({"firstName": "a" * 151}, "firstName"),
    ({"mailNotifications": "perhaps"}, "mailNotifications"),
    ({"mailNotifications": None}, "mailNotifications"),
]


def test_a_wrong_field_is_named_and_nothing_is_changed(walter: User, subtests: pytest.Subtests) -> None:
    User.objects.create_user("anna")
    before = me(walter).json()
    for changes, attribute in WRONG:
        with subtests.test(str(changes)):
            answer = me(walter, **{"lastName": "New"} | changes)
            assert (answer.status_code, attributes(answer)) == (400, [attribute]), answer.content
            assert me(walter).json() == before


def test_of_two_users_who_take_one_name_at_once_one_gets_it(walter: User) -> None:
    anna = User.objects.create_user("anna")
    answers = run_together(*[lambda user=user: me(user, username="Zoe") for user in (walter, anna)])
    assert sorted(answer.status_code for answer in answers) == [200, 400]


@pytest.mark.parametrize(
    "end", [lambda user: user.delete(), lambda user: User.objects.update(is_active=False)]
)
def test_a_user_who_is_deleted_or_inactive_has_no_account(
    walter: User, end: Callable[[User], object]
) -> None:
    user = User.objects.get(pk=walter.pk)
    end(walter)
    assert codes(me(user)) == codes(me(user, firstName="x")) == ["no_active_account"]


def test_a_new_address_counts_once_its_link_was_followed(walter: User) -> None:
    asked = me(walter, email="Walter@new.example").json()
    assert (asked["email"], asked["pendingEmail"]) == ("walter@example.com", "Walter@new.example")
    assert queued() == {
        (Kind.CONFIRM_ADDRESS, "Walter@new.example"),
        (Kind.ADDRESS_CHANGE, "walter@example.com"),
    }
    link = confirm_link(walter)
    assert confirm(link).status_code == 204
    confirmed = me(walter).json()
    assert (confirmed["email"], confirmed["pendingEmail"]) == ("Walter@new.example", None)
    assert list(AccountMailAddress.objects.values_list("normal_form", flat=True)) == ["walter@new.example"]
    assert codes(confirm(link)) == ["link_invalid"], "a link works once"


def test_the_own_address_ends_the_wish_for_another(walter: User) -> None:
    me(walter, email="walter@new.example")
    link = confirm_link(walter)
    assert me(walter, email="walter@example.com").json()["pendingEmail"] is None
    assert codes(confirm(link)) == ["link_invalid"]


@pytest.mark.parametrize(
    "event",
    [
        lambda user: me(user, email="other@new.example"),
        lambda user: change_password(user=User.objects.get(pk=user.pk), password="another-orchard-9"),
        lambda user: User.objects.filter(pk=user.pk).update(email="by@staff.example"),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["another wish", "a changed password", "a changed address", "a deactivated user"],
)
def test_a_link_is_void_after(walter: User, event: Callable[[User], object]) -> None:
    me(walter, email="walter@new.example")
    link = confirm_link(walter)
    event(walter)
    assert codes(confirm(link)) == ["link_invalid"]
    assert not User.objects.filter(email="walter@new.example").exists()


def test_signing_in_leaves_a_link_valid(walter: User) -> None:
    me(walter, email="walter@new.example")
    link = confirm_link(walter)
    signed_in = ApiUser().request("POST", "auth/token/", {"username": "walter", "password": PASSWORD})
    assert signed_in.status_code == 200
    assert confirm(link).status_code == 204


def test_a_wrong_link_is_refused(walter: User, subtests: pytest.Subtests) -> None:
    me(walter, email="walter@new.example")
    right = parts_of(confirm_link(walter))
    for wrong in (
        {"uid": "!"},
        {"uid": "MA"},
        {"uid": "w7/DvzI"},
        {"token": "x"},
        {"token": right["token"][:-1] + "!"},
    ):
        with subtests.test(str(wrong)):
            assert codes(ApiUser().request("POST", "auth/email/confirm/", right | wrong)) == ["link_invalid"]
    assert attributes(ApiUser().request("POST", "auth/email/confirm/", {})) == ["uid", "token"]


def test_a_wish_for_an_address_that_another_account_holds_is_answered_like_any_other(walter: User) -> None:
    anna = User.objects.create_user("anna", "anna@example.com")
    free, held = me(walter, email="free@example.com"), me(walter, email="ANNA@example.com")
    assert (free.status_code, held.status_code) == (200, 200)
    assert held.json() == free.json() | {"pendingEmail": "ANNA@example.com"}
    refused = confirm(confirm_link(walter))
    assert (refused.status_code, codes(refused)) == (400, ["unique"])
    assert me(walter).json()["email"] == "walter@example.com"
    assert AccountMailAddress.objects.get(normal_form="anna@example.com").user == anna


def test_of_two_accounts_that_confirm_one_address_at_once_one_gets_it(walter: User) -> None:
    anna = User.objects.create_user("anna", "anna@example.com")
    links = []
    for user, address in ((walter, "new@example.com"), (anna, "NEW@example.com")):
        me(user, email=address)
        links.append(confirm_link(user))
    answers = race(*[lambda link=link: confirm(link).status_code for link in links])
    assert sorted(answers, key=str) == [204, 400]
    assert AccountMailAddress.objects.filter(normal_form="new@example.com").count() == 1
    assert AccountMailAddress.objects.count() == 2
    assert MailAddressChange.objects.count() == 1


def test_of_a_registration_and_a_confirmation_of_one_address_at_once_one_gets_it(walter: User) -> None:
    me(walter, email="new@example.com")
    link = confirm_link(walter)
    body = {"username": "zoe", "email": "New@example.com", "password": PASSWORD}
    registered, confirmed = run_together(
        lambda: ApiUser().request("POST", "auth/register/", body).status_code,
        lambda: confirm(link).status_code,
    )
    holder = AccountMailAddress.objects.get(normal_form="new@example.com").user.username
    assert (registered, confirmed, holder) in {(201, 204, "walter"), (201, 400, "zoe")}


def test_nothing_else_of_an_account_can_be_changed(walter: User) -> None:
    before = User.objects.values().get()
    more = {
        "isStaff": True,
        "is_staff": True,
        "is_superuser": True,
        "password": "x",
        "id": 7,
        "pendingEmail": "a@b.example",
    }
    assert me(walter, **more).status_code == 200
    assert User.objects.values().get() == before
    assert not MailAddressChange.objects.exists()


def test_mails_to_new_addresses_are_limited_and_other_changes_are_not(
    walter: User, set_rate: SetRate
) -> None:
    set_rate("mail_address", "2/hour")
    statuses = [me(walter, email="victim@example.com").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert me(walter, email="walter@example.com", firstName="W").status_code == 200
    set_rate("account_mail", "1/hour")
    assert [me(walter, email=f"{n}@example.com").status_code for n in range(2)] == [200, 429]
