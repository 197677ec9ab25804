"""User names are compared in one normal form (NFKC, trimmed, case folded), at every door."""

import unicodedata
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from foundation.user_names import normal_form, require_sound
from orders_app.models import AccountName
from tests.concurrency import run_together
from tests.orders_app.api.api_users import ApiUser, attributes, claims_of, codes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"


def register(name: object, email: str = "new@example.com") -> Any:
    return ApiUser().request(
        "POST", "auth/register/", {"username": name, "email": email, "password": PASSWORD}
    )


def sign_in(name: object) -> Any:
    return ApiUser().request("POST", "auth/token/", {"username": name, "password": PASSWORD})


def old_user(name: str) -> User:
    """A user from before names were compared by their normal form."""
    user = User(username=name)
    user.set_password(PASSWORD)
    User.objects.bulk_create([user])
    call_command("migrate", verbosity=0)
    return User.objects.get(username=name)


def wide(text: str) -> str:
    """The same letters as East Asian keyboards write them."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


SAME_NAMES = {
    "fiona": ["ﬁona", "FIONA", " fiona", "fiona\t", wide("fiona"), "ﬁOnA\u3000"],
    "Straße": ["STRASSE", "strasse", "straße"],
    "Ångström": ["a\u030angstro\u0308m", "\u212bngström".upper()],
    "Θησεύς": ["ΘΗΣΕΎΣ", "θησεύσ"],
}


@pytest.mark.parametrize("name", SAME_NAMES)
def test_a_registered_name_signs_in_in_any_form_and_is_taken_in_each(name: str) -> None:
    assert register(name).status_code == 201
    for form in SAME_NAMES[name]:
        assert sign_in(form).status_code == 200, form
        again = register(form)
        assert (again.status_code, attributes(again), codes(again)) == (400, ["username"], ["unique"]), form
    assert User.objects.count() == 1


def test_a_name_is_stored_and_answered_as_it_was_written_in_nfkc() -> None:
    answer = register(" ﬁOna ")
    assert answer.json()["user"]["username"] == "fiOna"
    assert sign_in("ﬁOna").status_code == sign_in("fiona").status_code == 200


def test_of_concurrent_registrations_of_one_name_in_several_forms_one_is_stored() -> None:
    answers = run_together(
        *[lambda form=form: register(form).status_code for form in ("Bob", "bob", wide("BOB"))]
    )
    assert sorted(answers) == [201, 400, 400]
    assert User.objects.count() == AccountName.objects.count() == 1


REFUSED_NAMES = {
    "too long": "a" * 151,
    "much too long": "a" * 100_000,
    "growing under NFKC": "\ufdfa" * 9,
    "growing when case folded": "\u0390" * 60,
    "a NUL": "a\x00b",
    "a control character": "a\x07b",
    "a line break": "a\nb",
    "half a character": "a\ud800",
    "a zero width space": "a\u200bb",
    "a direction mark": "a\u202eb",
    "a soft hyphen": "a\u00adb",
    "a letter that is blank": "a\u3164b",
    "an unassigned code point": "a\u0378b",
    "a space that NFKC makes": "a\u00a0b",
    "a slash that NFKC makes": "½",
    "white space alone": " \t ",
    "a number": 7,
    "an object": {"$ne": ""},
}


@pytest.mark.parametrize("case", REFUSED_NAMES)
def test_a_name_that_nobody_may_have_is_refused_with_the_reason(case: str) -> None:
    answer = register(REFUSED_NAMES[case])
    if case == "half a character":
        assert answer.status_code == 400
    elif case == "a number":
        assert answer.status_code == 201
    else:
        assert (answer.status_code, set(attributes(answer))) == (400, {"username"}), answer.content
    assert User.objects.count() == (case == "a number")


TOO_BAD_TO_SIGN_IN = ("too long", "much too long", "growing under NFKC", "growing when case folded", "a NUL")


@pytest.mark.parametrize("case", TOO_BAD_TO_SIGN_IN)
@pytest.mark.parametrize("path", ["/admin/login/", "/api/session/login/", "/api/v1/auth/token/"])
def test_such_a_name_is_refused_at_every_door(path: str, case: str) -> None:
    form = {"username": REFUSED_NAMES[case], "password": "x"}
    content_type = {"content_type": "application/json"} if "token" in path else {}
    answer = Client().post(path, form, **content_type)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert b"user name" in answer.content or b"Null characters" in answer.content


@pytest.mark.parametrize("path", ["/admin/login/", "/api/session/login/"])
def test_pages_take_a_name_in_any_form(path: str) -> None:
    User.objects.create_superuser("fiona", password=PASSWORD)
    for form in SAME_NAMES["fiona"]:
        browser = Client()
        assert browser.post(path, {"username": form, "password": PASSWORD}).status_code == 302
        assert "_auth_user_id" in browser.session


def test_users_that_collide_stay_and_an_exact_name_wins() -> None:
    first, second, third = old_user("Alice"), old_user("alice"), old_user("ALICE")
    signed_in = {name: sign_in(name) for name in ("Alice", "alice", "ALICE", "aLiCe")}
    assert {name: answer.status_code for name, answer in signed_in.items()} == dict.fromkeys(signed_in, 200)

    def user_of(name: str) -> str:
        return str(claims_of(signed_in[name].json()["access"])["user_id"])

    assert [user_of(name) for name in signed_in] == [str(u.pk) for u in (first, second, third, first)]
    assert codes(register("aLICe")) == ["unique"]
    third.email = "still@example.com"
    third.save()


def test_the_check_lists_users_that_collide() -> None:
    old_user("Alice")
    old_user("bob")
    assert check() == ""
    second = old_user("alice")
    assert f"(id {second.pk})" in check()
    assert "'Alice'" in check()
    assert "bob" not in check()


def check() -> str:
    output = StringIO()
    call_command("check", tags=["database"], databases=["default"], stderr=output, stdout=StringIO())
    return output.getvalue()


def test_a_name_that_is_changed_by_sql_is_known_after_migrate() -> None:
    register("walter")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET username = 'Wendy'")
    assert sign_in("WALTER").status_code == 401
    call_command("migrate", verbosity=0)
    assert sign_in("WENDY").status_code == 200


def test_a_renamed_user_keeps_no_old_name() -> None:
    register("walter")
    user = User.objects.get()
    user.username = "Wendy"
    user.save()
    assert [sign_in(name).status_code for name in ("WENDY", "walter")] == [200, 401]
    assert register("Walter").status_code == 201


SAVES: dict[str, tuple[Callable[[str], object], type[Exception]]] = {
    "createsuperuser": (
        lambda name: call_command("createsuperuser", username=name, email="", interactive=False, verbosity=0),
        CommandError,
    ),
    "create_user": (User.objects.create_user, ValidationError),
}


@pytest.mark.parametrize("way", SAVES)
@pytest.mark.parametrize("name", ["ALICE", wide("alice"), "\ufdfa" * 9, "a\x07"])
def test_no_other_way_stores_a_name_that_is_taken_or_unsound(way: str, name: str) -> None:
    User.objects.create_user("alice")
    store, refusal = SAVES[way]
    with pytest.raises(refusal):
        store(name)
    assert User.objects.count() == 1


def test_the_admin_refuses_a_taken_name_by_its_field_and_keeps_an_old_one() -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    walter, old = User.objects.create_user("walter"), old_user("WALTER")
    new = {"username": "Walter", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    page = browser.post("/admin/auth/user/add/", new)
    assert (page.status_code, b"already exists" in page.content) == (200, True)
    form = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", "email": "new@example.com"}
    renamed = browser.post(f"/admin/auth/user/{walter.pk}/change/", form | {"username": "BOSS"})
    assert (renamed.status_code, b"already exists" in renamed.content) == (200, True)
    kept = browser.post(f"/admin/auth/user/{old.pk}/change/", form | {"username": "WALTER"})
    assert kept.status_code == 302, kept.content
    assert set(User.objects.values_list("username", "email")) == {
        ("boss", ""),
        ("walter", ""),
        ("WALTER", "new@example.com"),
    }


def test_an_email_address_that_grows_when_it_is_stored_is_refused() -> None:
    label = "\u0130" * 60
    address = f"a@{label}.{label}.{label}.{label}.com"
    assert len(address) <= 254 < len(address.lower())
    answer = register("walter", address)
    assert (answer.status_code, attributes(answer)) == (400, ["email"])
    assert register("walter", "Walter@EXAMPLE.com").json()["user"]["email"] == "Walter@example.com"


def test_the_normal_form_of_every_sound_name_is_its_own_normal_form() -> None:
    for code in range(0x110000):
        form = normal_form(chr(code))
        if unicodedata.category(chr(code)) not in {"Cs", "Cc"} and form:
            require_sound(form)
            assert normal_form(form) in {form, normal_form(unicodedata.normalize("NFKC", form))}


@pytest.mark.parametrize(
    "password", [" " * 8, "\t" * 9, "a" + " " * 9, "\u200b" * 12, "\u00a0\u3000" * 6, "\u3164" * 8]
)
def test_a_password_of_nothing_visible_is_too_short(password: str) -> None:
    body = {"username": "walter", "email": "walter@example.com", "password": password}
    answer = ApiUser().request("POST", "auth/register/", body)
    assert (answer.status_code, set(attributes(answer))) == (400, {"password"})
    assert "password_too_short" in codes(answer)


def test_a_password_may_have_spaces_and_counts_as_it_is() -> None:
    body = {"username": "walter", "email": "walter@example.com", "password": " correct horse "}
    assert ApiUser().request("POST", "auth/register/", body).status_code == 201
    credentials = {"username": "walter", "password": "correct horse"}
    assert ApiUser().request("POST", "auth/token/", credentials).status_code == 401
    assert (
        ApiUser().request("POST", "auth/token/", credentials | {"password": " correct horse "}).status_code
        == 200
    )
