"""Users and mails about accounts in the admin: an address that another user holds is given to nobody else."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orders_app.models import AccountMail, AccountMailAddress

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("walter"))
    return client


def give(browser: Client, user: User, address: str) -> str:
    """The page that answers the change of a user's address."""
    form = {"username": user.username, "email": address, "is_active": "on"}
    form |= {"date_joined_0": "2026-11-26", "date_joined_1": "00:00:00"}
    path = reverse("admin:auth_user_change", args=[user.pk])
    return browser.post(path, form, follow=True).content.decode()


def test_an_address_that_another_user_holds_is_refused_and_a_free_one_counts_at_once(browser: Client) -> None:
    User.objects.create_user("anna", "anna@example.com")
    bob = User.objects.create_user("bob", "bob@example.com")
    assert "Another user holds this e-mail address." in give(browser, bob, "ANNA@example.com")
    assert "has only ASCII letters" in give(browser, bob, '"bob"@example.com')
    assert "was changed successfully" in give(browser, bob, "robert@example.com")
    assert AccountMailAddress.objects.get(user=bob).normal_form == "robert@example.com"


def test_an_address_that_collided_before_may_stay(browser: Client) -> None:
    User.objects.create_user("anna", "anna@example.com")
    bob = User.objects.create_user("bob", "Anna@example.com")
    assert "was changed successfully" in give(browser, bob, "Anna@example.com")
    assert not AccountMailAddress.objects.filter(user=bob).exists()


def test_an_admin_finds_what_became_of_a_mail_about_an_account_and_changes_nothing(browser: Client) -> None:
    kept = AccountMail.objects.create(
        kind=AccountMail.Kind.PASSWORD_RESET,
        address="alice@example.com",
        state=AccountMail.State.REFUSED,
        detail="550 no such mailbox",
    )
    page = browser.get(reverse("admin:orders_app_accountmail_changelist"), {"q": "alice"})
    assert "550 no such mailbox" in page.content.decode()
    change = reverse("admin:orders_app_accountmail_change", args=[kept.pk])
    assert browser.get(change).status_code == 200
    assert browser.post(change, {"state": "sent"}).status_code == 403
