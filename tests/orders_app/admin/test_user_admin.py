"""Users and mails about accounts in the admin: an address that another user holds is given to nobody else."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from config.staff_roles import ADMINISTRATOR, WAREHOUSE
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


def boss() -> Client:
    """The browser of an administrator, who is no superuser."""
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name=ADMINISTRATOR))
    client = Client()
    client.force_login(user)
    return client


def test_an_administrator_gives_nobody_every_right_and_leaves_superusers_alone() -> None:
    browser, temp = boss(), User.objects.create_user("temp")
    root = User.objects.create_superuser("root", password="kept-password")
    form: dict[str, Any] = {"username": "temp", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    form |= {"user_permissions": [Permission.objects.get(codename="change_group").pk]}
    form |= {"groups": [Group.objects.get(name=WAREHOUSE).pk]}
    form |= {"date_joined_0": "2026-11-26", "date_joined_1": "00:00:00"}
    assert browser.post(reverse("admin:auth_user_change", args=[temp.pk]), form).status_code == 302
    temp.refresh_from_db()
    assert (temp.is_staff, temp.is_superuser, temp.user_permissions.count()) == (True, False, 0)
    assert [group.name for group in temp.groups.all()] == [WAREHOUSE]
    assert browser.post(reverse("admin:auth_user_change", args=[root.pk]), form).status_code == 403
    password = {"password1": "a-new-secret-word", "password2": "a-new-secret-word"}
    page = reverse("admin:auth_user_password_change", args=[root.pk])
    assert browser.post(page, password).status_code == 403
    assert User.objects.get(pk=root.pk).check_password("kept-password")


def test_rights_of_groups_are_changed_by_superusers_alone(browser: Client) -> None:
    page = reverse("admin:auth_group_change", args=[Group.objects.get(name=WAREHOUSE).pk])
    assert browser.get(page).status_code == 200
    assert boss().post(page, {"name": WAREHOUSE}).status_code == 403


def test_the_list_of_users_names_their_groups_in_few_queries(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        User.objects.create_user(f"clerk-{number}", is_staff=True).groups.add(
            Group.objects.get(name=WAREHOUSE)
        )
    with django_assert_max_num_queries(12):
        page = browser.get(reverse("admin:auth_user_changelist")).content.decode()
    assert page.count(WAREHOUSE) >= 30
