"""The page of one's own account: each part is stored by itself, and what is wrong is told beside it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders_app.models import AccountMail, MailAddressChange, MailPreference
from tests.conftest import SetRate
from tests.orders_app.pages.browsing import words_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

OLD, NEW = "kettle-orchard-9", "lantern-meadow-7"
PARTS = ("names", "email", "mail", "password")


@pytest.fixture
def walter(quick_passwords: None) -> User:
    return User.objects.create_user("walter", "walter@example.com", OLD)


@pytest.fixture
def browser(walter: User) -> Client:
    browser = Client()
    browser.force_login(walter)
    return browser


def stored() -> User:
    return User.objects.select_related("mail_preference").get(email="walter@example.com")


def test_the_account_is_for_who_is_signed_in(browser: Client) -> None:
    assert Client().get("/account/")["Location"] == "/login/?next=/account/"
    page = browser.get("/account/")
    assert 'value="walter@example.com"' in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    for part in PARTS:
        assert browser.get(f"/account/{part}/")["Location"] == "/account/"
        assert Client().post(f"/account/{part}/")["Location"].startswith("/login/")


def test_names_are_stored(browser: Client) -> None:
    form = {"username": "wally", "first_name": "Walter", "last_name": ""}
    page = browser.post("/account/names/", form, follow=True)
    assert "Your names are saved." in words_of(page)
    assert (stored().username, stored().first_name) == ("wally", "Walter")


@pytest.mark.parametrize(
    ("part", "form", "told"),
    [
        ("names", {"username": "bob"}, "already exists"),
        ("names", {"username": "walter", "first_name": "a\x01b"}, "no control characters"),
        ("names", {"username": ""}, "This field is required."),
        ("email", {"email": "nonsense"}, "Enter a valid email address."),
        ("mail", {"language": "xx"}, "Select a valid choice"),
        ("mail", {"time_zone": "Europe/Stockbridge"}, "no time zone of this name"),
        ("password", {"old_password": "wrong", "new_password": NEW}, "This is not your password."),
        ("password", {"old_password": OLD, "new_password": "walter"}, "too short"),
        ("password", {"old_password": OLD}, "This field is required."),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(
    part: str, form: dict[str, str], told: str, browser: Client
) -> None:
    User.objects.create_user("bob")
    before = list(User.objects.order_by("id").values())
    answer = browser.post(f"/account/{part}/", form)
    assert answer.status_code == 422
    assert told in words_of(answer)
    assert answer.content.decode().count('class="field__errors"') == 1
    assert list(User.objects.order_by("id").values()) == before
    assert not MailPreference.objects.exists()


def test_another_mail_address_waits_for_its_confirmation(browser: Client) -> None:
    page = browser.post("/account/email/", {"email": "new@example.com"}, follow=True)
    assert "A mail is on its way to new@example.com." in words_of(page)
    assert "new@example.com is not confirmed yet" in words_of(page)
    assert stored().email == "walter@example.com"
    assert {mail.kind for mail in AccountMail.objects.all()} == {"address_change", "confirm_address"}
    page = browser.post("/account/email/", {"email": "walter@example.com"}, follow=True)
    assert "not confirmed yet" not in words_of(page)
    assert not MailAddressChange.objects.exists()


def test_mails_to_new_addresses_are_limited_and_the_form_says_so(browser: Client, set_rate: SetRate) -> None:
    set_rate("account_mail", "1/hour")
    answers = [browser.post("/account/email/", {"email": f"{name}@example.com"}) for name in "ab"]
    assert [answer.status_code for answer in answers] == [302, 429]
    assert "Request was throttled." in words_of(answers[1])


def test_wishes_about_mail_are_stored(browser: Client) -> None:
    browser.post("/account/mail/", {"language": "de", "time_zone": "Europe/Berlin"})
    preference = stored().mail_preference
    assert (preference.notifications, preference.language, preference.time_zone) == (
        False,
        "de",
        "Europe/Berlin",
    )
    assert "checked" not in browser.get("/account/").content.decode()
    browser.post("/account/mail/", {"notifications": "on"})
    assert stored().mail_preference.notifications


def test_a_changed_password_ends_the_other_sign_ins(browser: Client, walter: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(walter)
    page = browser.post("/account/password/", {"old_password": OLD, "new_password": NEW}, follow=True)
    assert "you are signed out everywhere else." in words_of(page)
    assert page.redirect_chain == [("/account/", 302)]
    assert stored().check_password(NEW)
    assert browser.get("/account/").status_code == 200
    assert elsewhere.get("/account/")["Location"] == "/login/?next=/account/"


def test_wrong_passwords_count_with_those_of_the_sign_in(browser: Client, set_rate: SetRate) -> None:
    set_rate("login_name", "1/hour")
    form = {"old_password": "wrong", "new_password": NEW}
    assert [browser.post("/account/password/", form).status_code for _ in range(2)] == [422, 429]


def test_forms_of_the_account_need_the_token_of_the_page(walter: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(walter)
    assert [browser.post(f"/account/{part}/").status_code for part in PARTS] == [403] * 4
