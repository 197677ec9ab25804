"""Mail in the admin: its records, a preview of every kind, and what a user wants."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from orders_app.mail.examples import example_events
from orders_app.models import AccountMail, MailKind, MailPreference, MailRecord

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT_MAILS = ("password-reset", "confirm-address", "address-change", "address-held")


@pytest.fixture
def browser(sam: User) -> Client:
    client = Client()
    client.force_login(sam)
    return client


def test_staff_find_what_became_of_a_mail_and_change_nothing(browser: Client) -> None:
    kept = MailRecord.objects.create(
        message_id="m",
        event_id="e:1",
        order_number="SB-77",
        user_id="1",
        kind=MailKind.SHIPPED,
        address="alice@example.com",
        state=MailRecord.State.REFUSED,
        detail="550 no such mailbox",
    )
    page = browser.get(reverse("admin:orders_app_mailrecord_changelist"), {"q": "SB-7"})
    assert "550 no such mailbox" in page.content.decode()
    assert reverse("admin:orders_app_mailrecord_previews") in page.content.decode()
    change = reverse("admin:orders_app_mailrecord_change", args=[kept.pk])
    assert browser.get(change).status_code == 200
    assert browser.post(change, {"state": "sent"}).status_code == 403


def test_every_kind_of_mail_can_be_seen_as_html_and_as_text(browser: Client) -> None:
    page = browser.get(reverse("admin:orders_app_mailrecord_previews")).content.decode()
    for name in [*example_events("1"), *ACCOUNT_MAILS]:
        for form in ("html", "text"):
            path = reverse(f"admin:orders_app_mailrecord_{form}", args=[name])
            assert path in page
            shown = browser.get(path)
            assert shown.status_code == 200
            expected = "somebody asked for it" if name in ACCOUNT_MAILS else "SB-DEMO"
            assert expected in shown.content.decode()


def test_account_mails_that_are_news_have_no_button(browser: Client) -> None:
    with_button = set()
    for name in ACCOUNT_MAILS:
        shown = browser.get(reverse("admin:orders_app_mailrecord_html", args=[name])).content.decode()
        if 'class="button"' in shown:
            with_button.add(name)
    assert with_button == {"password-reset", "confirm-address"}


def test_a_mail_that_does_not_exist_is_not_found(browser: Client) -> None:
    assert browser.get(reverse("admin:orders_app_mailrecord_html", args=["nothing"])).status_code == 404


def test_an_admin_switches_the_mail_of_a_user_off_and_sets_their_language(transactional_db: None) -> None:
    browser, alice = Client(), User.objects.create_user("alice", "alice@example.com")
    browser.force_login(User.objects.create_superuser("walter"))
    answer = browser.post(
        reverse("admin:orders_app_mailpreference_add"), {"user": str(alice.pk), "language": "de"}
    )
    assert answer.status_code == 302, answer.content.decode()
    kept = MailPreference.objects.get(user=alice)
    assert (kept.notifications, kept.language) == (False, "de")


def test_staff_who_may_not_see_customers_read_and_find_no_address(browser: Client, sam: User) -> None:
    address = "alice@example.com"
    mail = AccountMail.objects.create(kind=AccountMail.Kind.PASSWORD_RESET, user_id=sam.pk, address=address)
    record = MailRecord.objects.create(
        message_id="m",
        event_id="e:1",
        order_number="SB-77",
        user_id="1",
        kind=MailKind.SHIPPED,
        address=address,
    )
    pages = [
        reverse(f"admin:orders_app_{name}_{page}", args=args)
        for name, row in (("mailrecord", record), ("accountmail", mail))
        for page, args in (("changelist", []), ("change", [row.pk]))
    ]
    found = reverse("admin:orders_app_mailrecord_changelist")
    assert all(address in browser.get(page).content.decode() for page in pages)
    assert "SB-77" in browser.get(found, {"q": "alice"}).content.decode()
    sam.groups.clear()
    rights = Permission.objects.filter(codename__in=("view_mailrecord", "view_accountmail"))
    sam.user_permissions.set(rights)
    assert not any(address in browser.get(page).content.decode() for page in pages)
    assert "SB-77" not in browser.get(found, {"q": "alice"}).content.decode()
    assert "SB-77" in browser.get(found, {"q": "SB-7"}).content.decode()
    assert browser.get(found, {"address__startswith": "a"}).status_code == 400
