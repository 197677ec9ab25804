"""The link of each mail: it asks, one click switches notifications off, and only for its own user."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders_app.mail.reader import find_reader
from orders_app.mail.unsubscribing import unsubscribe_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", "alice@example.com")


def path_of(user: User) -> str:
    return unsubscribe_url(str(user.pk))[len("https://shop.example") :]


@pytest.fixture(autouse=True)
def shop(settings: object) -> None:
    settings.PUBLIC_URL = "https://shop.example"  # type: ignore[attr-defined]


def wants_mail(user: User) -> bool:
    reader = find_reader(str(user.pk))
    assert reader is not None
    return reader.has_notifications


def test_opening_the_link_asks_and_changes_nothing(alice: User) -> None:
    page = Client().get(path_of(alice))
    assert page.status_code == 200
    assert "Switch notifications off?" in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0")
    assert wants_mail(alice)


def test_one_click_of_a_mail_program_switches_off_without_cookie_and_form_token(alice: User) -> None:
    program = Client(enforce_csrf_checks=True)
    done = program.post(
        path_of(alice), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert done.status_code == 200
    assert not wants_mail(alice)
    again = program.post(path_of(alice), {"List-Unsubscribe": "One-Click"})
    assert again.status_code == 200
    assert not wants_mail(alice)


def test_the_page_switches_them_on_again(alice: User) -> None:
    Client().post(path_of(alice))
    page = Client(enforce_csrf_checks=True).post(path_of(alice), {"again": "yes"})
    assert "Notifications are on" in page.content.decode()
    assert wants_mail(alice)


def test_a_link_that_we_did_not_sign_changes_nobody(alice: User) -> None:
    bob = User.objects.create_user("bob", "bob@example.com")
    forged = path_of(alice).replace(f"/{alice.pk}.", f"/{bob.pk}.")
    for path in (forged, "/mail/unsubscribe/7/", f"/mail/unsubscribe/{bob.pk}.x/", "/mail/unsubscribe/%00/"):
        assert Client().post(path).status_code == 404
    assert wants_mail(bob)


def test_the_link_of_a_deleted_user_answers_as_any_other(alice: User) -> None:
    path = path_of(alice)
    alice.delete()
    assert Client().post(path).status_code == 200
