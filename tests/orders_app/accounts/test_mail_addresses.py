"""One account holds a mail address, in any form of it, and no answer tells who does."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders_app.models import AccountMailAddress
from tests.concurrency import run_together
from tests.orders_app.api.api_users import ApiUser, attributes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"


def register(name: str, email: object) -> Any:
    return ApiUser().request(
        "POST", "auth/register/", {"username": name, "email": email, "password": PASSWORD}
    )


def holders() -> dict[str, str]:
    """The user name of each address that is held."""
    rows = AccountMailAddress.objects.values_list("normal_form", "user__username")
    return dict(rows)


@pytest.mark.parametrize("form", ["Alice@example.com", "alice@EXAMPLE.com"])
def test_who_registers_with_an_address_that_is_held_gets_the_same_answer_and_not_the_address(
    form: str,
) -> None:
    seen = []
    for name, address in (("alice", "alice@example.com"), ("mallory", form)):
        with CaptureQueriesContext(connection) as asked:
            registered = register(name, address)
            person = ApiUser(User.objects.get(username=name).pk)
            own = registered.json()["user"]["email"]
            shown = [
                person.request("PATCH", "auth/me/", {"email": each}) for each in (own, "new@example.com")
            ]
        texts = [answer.content.decode() for answer in shown]
        assert [registered.status_code, *(answer.status_code for answer in shown)] == [201, 200, 200]
        assert own.lower() == "alice@example.com"
        seen.append(([text.replace(own, "").replace(name, "") for text in texts], len(asked)))
    assert seen[0] == seen[1], "neither answers nor statements tell who holds the address"
    assert holders() == {"alice@example.com": "alice"}


def test_of_concurrent_registrations_with_one_address_one_holds_it() -> None:
    jobs = [lambda n=n: register(f"user-{n}", f"{'aA'[n % 2]}lice@example.com") for n in range(4)]
    assert [answer.status_code for answer in run_together(*jobs)] == [201] * 4
    assert len(holders()) == 1


WRONG: list[object] = [
    *(
        "nowhere",
        "a@b",
        "a b@example.com",
        "\u017fam@example.com",
        '"a b"@example.com',
        "a@-example.com",
        7,
    ),
    "a@example.com\r\nBcc: b@example.com",
    "a@example.com\nb@example.com",
    "a\x00@example.com",
    f"{'a' * 249}@ex.com",
]


def test_an_address_that_no_account_may_have_is_refused_with_the_reason(subtests: pytest.Subtests) -> None:
    for address in WRONG:
        with subtests.test(repr(address)):
            answer = register("alice", address)
            assert (answer.status_code, set(attributes(answer))) == (400, {"email"}), answer.content
    assert not User.objects.exists()


def test_an_address_is_held_whoever_stores_its_user_and_free_with_another_one() -> None:
    user = User.objects.create_user("walter", "Walter@example.com")
    assert holders() == {"walter@example.com": "walter"}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET email = 'other@example.com' WHERE id = %s", [user.pk])
    assert holders() == {}
    user.refresh_from_db()
    user.save()
    assert holders() == {"other@example.com": "walter"}
    user.delete()
    assert holders() == {}


def test_accounts_that_collide_stay_and_are_listed_and_the_oldest_holds_the_address() -> None:
    User.objects.bulk_create(
        [User(username="old", email="a@example.com"), User(username="new", email="A@example.com")]
    )
    User.objects.create_user("nobody")
    call_command("migrate", verbosity=0)
    assert holders() == {"a@example.com": "old"}
    shown = StringIO()
    call_command("check", tags=["database"], databases=["default"], stderr=shown, stdout=StringIO())
    assert "(stockbridge.W002) The mail address of user 'new'" in shown.getvalue()
    assert "is held by user 'old'" in shown.getvalue()
    assert "'nobody'" not in shown.getvalue()
