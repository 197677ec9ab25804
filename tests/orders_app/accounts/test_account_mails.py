"""Mails about accounts: to whom they go, what they say, and that each is sent, once."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.models import F

from devtools.driver.shop import eventually
from foundation.outage import DependencyUnavailable
from orders_app.accounts import send_account_mails as sending
from orders_app.accounts.account_mails import compose_account_mail
from orders_app.accounts.mail_queue import Kind, queue_mail
from orders_app.accounts.own_account import change_account, register_customer
from orders_app.accounts.password_reset import request_reset
from orders_app.accounts.send_account_mails import LEASE, AccountMailSender
from orders_app.mail.server import MailServer, MailServerUnavailable
from orders_app.models import AccountMail
from tests.concurrency import run_together, running
from tests.database import in_test_database
from tests.orders_app.accounts.links import parts_of
from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.mail.mailing import send_to
from tests.running_catcher import Catcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

OLD, NEW = "kettle-orchard-9", "lantern-meadow-7"
State = AccountMail.State


@pytest.fixture(autouse=True)
def catcher(mail_catcher: Catcher, settings: Any) -> Catcher:
    send_to(mail_catcher, settings)
    return mail_catcher


@pytest.fixture
def sender() -> Iterator[AccountMailSender]:
    sender = AccountMailSender(MailServer())
    yield sender
    sender.close()


@pytest.fixture
def walter() -> User:
    return User.objects.create_user("walter", "Walter@example.com", OLD)


def send_all(sender: AccountMailSender) -> None:
    while sender.send_next():
        pass


def make_due() -> None:
    """As if a lease or a deferral were over."""
    AccountMail.objects.update(due_at=F("created_at"))


def states() -> list[str]:
    return list(AccountMail.objects.order_by("pk").values_list("state", flat=True))


def recipients(catcher: Catcher) -> list[tuple[str, str]]:
    """Subject and recipient of each mail, oldest first."""
    return [(mail["subject"], mail["to"][0]) for mail in reversed(catcher.mails())]


def link_in(mail: Any) -> str:
    """The link of a mail, which is the same in its text and its HTML."""
    [link] = re.findall(r"https://shop\.example/account/\S+", mail["text"])
    assert link.replace("&", "&amp;") in mail["html"]
    return str(link)


def ask_for(user: User, address: str) -> None:
    change_account(user=user, names={}, mail={}, address=address)


def test_a_reset_reaches_the_address_as_it_is_stored_and_its_link_sets_a_new_password(
    walter: User, sender: AccountMailSender, catcher: Catcher
) -> None:
    request_reset(address="WALTER@EXAMPLE.COM")
    send_all(sender)
    [mail] = [catcher.mail("walter")]
    assert mail["to"] == ["Walter@example.com"]
    assert "walter" in mail["text"]
    assert "60 minutes" in mail["text"]
    assert mail["headers"]["Auto-Submitted"] == "auto-generated"
    assert mail["headers"]["Message-ID"].startswith("<account-")
    body = parts_of(link_in(mail)) | {"newPassword": NEW}
    assert ApiUser().request("POST", "auth/password/reset/confirm/", body).status_code == 204
    assert User.objects.get().check_password(NEW)
    assert states() == [State.SENT]


def test_no_token_is_stored(walter: User, sender: AccountMailSender, catcher: Catcher) -> None:
    request_reset(address=walter.email)
    ask_for(walter, "new@example.com")
    send_all(sender)
    tokens = [
        parts_of(link_in(mail))["token"] for mail in (catcher.mail("new password"), catcher.mail("new@"))
    ]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE ANY(%s)',
                [[f"%{t}%" for t in tokens]],
            )
            assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize(
    "user",
    [
        {"username": "other", "email": "other@example.com"},
        {"username": "walter", "email": "walter@example.com", "is_active": False},
        {"username": "walter", "email": "walter@example.com"},
    ],
    ids=["no account", "an inactive one", "one without a password"],
)
def test_nobody_is_sent_a_reset_for(
    user: dict[str, Any], sender: AccountMailSender, catcher: Catcher
) -> None:
    User.objects.create_user(**user)
    request_reset(address="walter@example.com")
    send_all(sender)
    assert states() == [State.NOT_SENT]
    assert catcher.mails() == []


def test_a_reset_that_waited_goes_to_nobody_who_had_the_address_before(
    walter: User, sender: AccountMailSender, catcher: Catcher
) -> None:
    request_reset(address=walter.email)
    walter.email = "new@example.com"
    walter.save()
    send_all(sender)
    assert catcher.mails() == []


def test_a_new_address_gets_a_link_and_the_former_one_is_told(
    walter: User, sender: AccountMailSender, catcher: Catcher
) -> None:
    User.objects.filter(pk=walter.pk).update(first_name="Win a prize at evil.example")
    ask_for(walter, "new@example.com")
    send_all(sender)
    confirm, told = catcher.mail("new@example.com"), catcher.mail("Walter@example.com")
    assert "evil" not in confirm["text"] + confirm["html"]
    assert "walter" not in confirm["text"] + confirm["html"], (
        "the owner of the address may be a stranger, who must not learn the name"
    )
    assert "/account/" not in told["text"]
    assert ApiUser().request("POST", "auth/email/confirm/", parts_of(link_in(confirm))).status_code == 204
    assert User.objects.get().email == "new@example.com"
    assert len(catcher.mails()) == 2


def test_who_holds_an_address_is_told_that_another_account_gave_it(
    walter: User, sender: AccountMailSender, catcher: Catcher
) -> None:
    mallory = register_customer(username="mallory", email="walter@Example.com", password=NEW)
    register_customer(username="zoe", email="zoe@example.com", password=NEW)
    ask_for(mallory, "mallory@example.com")
    send_all(sender)
    told, confirm = ("You have an account already", "Walter@example.com"), "Confirm your e-mail address"
    assert recipients(catcher) == [told, (confirm, "mallory@example.com")], "not what mallory does"
    catcher.delete_all()
    queue_mail(kind=Kind.ADDRESS_HELD, address=mallory.email, user_id=mallory.pk)
    anna = User.objects.create_user("anna", "anna@example.com")
    ask_for(anna, "WALTER@example.com")
    send_all(sender)
    to_anna = ("Your e-mail address is to be changed", "anna@example.com")
    assert recipients(catcher) == [told, to_anna, told]
    assert not any("mallory" in catcher.mail("already")[part] for part in ("text", "html"))
    request_reset(address=mallory.email)
    send_all(sender)
    assert "account walter" in catcher.mail("new password")["text"]


def test_a_wish_that_was_given_up_sends_no_link(
    walter: User, sender: AccountMailSender, catcher: Catcher
) -> None:
    ask_for(walter, "first@example.com")
    ask_for(walter, "second@example.com")
    send_all(sender)
    assert {to for _, to in recipients(catcher)} == {"Walter@example.com", "second@example.com"}


def test_mails_that_were_asked_for_again_before_they_were_sent_are_one(
    walter: User, sender: AccountMailSender, catcher: Catcher
) -> None:
    for _ in range(4):
        request_reset(address=walter.email)
    send_all(sender)
    assert states() == [State.SENT] * 4
    assert len(catcher.mails()) == 1
    request_reset(address=walter.email)
    send_all(sender)
    assert len(catcher.mails()) == 2


def queue_for(*addresses: str) -> None:
    """One mail to each, of users of their own."""
    for number, address in enumerate(addresses):
        user = User.objects.create_user(f"user-{number}", address, OLD)
        queue_mail(kind=Kind.ADDRESS_CHANGE, address=address, user_id=user.pk)


def test_while_the_mail_server_is_away_mails_wait_and_then_come_in_order(catcher: Catcher) -> None:
    queue_for("first@example.com", "second@example.com")
    catcher.kill()
    with running(sending.send_account_mails):
        time.sleep(0.3)
        assert set(AccountMail.objects.values_list("begun", "state")) == {(0, State.WAITING)}
        catcher.start()
        eventually(lambda: states() == [State.SENT] * 2, "both are sent")
    assert [to for _, to in recipients(catcher)] == ["first@example.com", "second@example.com"]


def test_a_mail_that_is_deferred_comes_later_and_one_that_is_refused_never(
    sender: AccountMailSender, catcher: Catcher
) -> None:
    queue_for("catcher-451-2+a@example.com", "catcher-550@example.com", "last@example.com")
    send_all(sender)
    assert states() == [State.WAITING, State.REFUSED, State.SENT]
    deferred = AccountMail.objects.get(state=State.WAITING)
    assert (deferred.begun, deferred.deferred) == (0, 1)
    assert deferred.due_at - deferred.created_at >= sending.FIRST_DEFERRAL
    for _ in range(2):
        AccountMail.objects.filter(state=State.WAITING).update(due_at=F("created_at"))
        send_all(sender)
    assert states() == [State.SENT, State.REFUSED, State.SENT]
    assert AccountMail.objects.get(state=State.REFUSED).detail.startswith("550 ")
    assert len(catcher.mails()) == 2


def test_a_mail_whose_answer_is_lost_is_sent_once_more_after_its_lease_and_no_third_time(
    sender: AccountMailSender, catcher: Catcher
) -> None:
    queue_for("catcher-lost-answer@example.com")
    for _ in range(2):
        with pytest.raises(MailServerUnavailable):
            sender.send_next()
        row = AccountMail.objects.get()
        assert row.due_at - row.created_at > LEASE - timedelta(seconds=1)
        assert not sender.send_next()
        make_due()
    assert sender.send_next()
    assert states() == [State.UNSURE]
    assert len(catcher.mails()) == 2


@pytest.mark.parametrize(
    ("point", "copies"), [("before-sending-mail", 1), ("after-sending-mail-before-record", 2)]
)
def test_a_kill_at_this_point_loses_no_mail_and_gives_at_most_one_copy_more(
    point: str, copies: int, sender: AccountMailSender, catcher: Catcher
) -> None:
    queue_for("first@example.com", "second@example.com")
    script = (
        "import django; django.setup(); import threading; "
        "from orders_app.accounts.send_account_mails import send_account_mails; "
        "send_account_mails(threading.Event())"
    )
    given = {"EMAIL_URL": catcher.email_url, "PUBLIC_URL": "http://localhost:1", "KILL_AT": point}
    given |= {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", script]
    killed = subprocess.run(command, env=in_test_database() | given, timeout=60, check=False)
    assert killed.returncode == -9
    make_due()
    send_all(sender)
    assert states() == [State.SENT] * 2
    to = [recipient for _, recipient in recipients(catcher)]
    assert (to.count("first@example.com"), to.count("second@example.com")) == (copies, 1)


def test_a_mail_is_not_sent_again_when_its_end_could_not_be_recorded(
    sender: AccountMailSender, catcher: Catcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_end: object) -> None:
        raise OperationalError("gone")

    queue_for("first@example.com")
    with monkeypatch.context() as patched:
        patched.setattr(sending, "_record", fail)
        with pytest.raises(DependencyUnavailable):
            sender.send_next()
    send_all(sender)
    assert states() == [State.SENT]
    assert len(catcher.mails()) == 1


def test_several_senders_send_each_mail_once(catcher: Catcher) -> None:
    addresses = [f"user-{number}@example.com" for number in range(12)]
    queue_for(*addresses)

    def send() -> None:
        mine = AccountMailSender(MailServer())
        send_all(mine)
        mine.close()

    run_together(send, send, send)
    assert sorted(to for _, to in recipients(catcher)) == sorted(addresses)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "a@b@c",
            "nowhere",
            "\u017fam@example.com",
            '"a b"@example.com',
            '"a\x0bb"@example.com',
            "a@b\u00fccher.example",
        ),
        *(
            "a\nBcc: b@example.com",
            "a\r\n.\r\nMAIL FROM:<>@example.com",
            "<a@example.com>,b@example.com",
            "a" * 254,
        ),
    ],
)
def test_an_address_that_was_stored_past_all_rules_goes_to_nobody_else_and_holds_up_no_other(
    address: str, sender: AccountMailSender, catcher: Catcher
) -> None:
    walter = User.objects.create_user("walter", "walter@example.com", OLD)
    User.objects.filter(pk=walter.pk).update(email=address)
    User.objects.get().save()
    request_reset(address=address)
    queue_for("last@example.com")
    send_all(sender)
    assert states() in ([State.NOT_SENT, State.SENT], [State.SENT, State.SENT], [State.REFUSED, State.SENT])
    mails = catcher.mails()
    assert mails[0]["to"] == ["last@example.com"]
    assert all(len(mail["to"]) == 1 for mail in mails)
    assert not any("Bcc" in mail["headers"] or mail["to"] == ["b@example.com"] for mail in mails)
    assert len(mails) == states().count(State.SENT)


def test_a_mail_that_cannot_be_written_holds_up_no_other(
    sender: AccountMailSender, catcher: Catcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_for("first@example.com", "second@example.com")

    def fail_once(row: AccountMail) -> Any:
        if row.address == "first@example.com":
            raise msgspec.ValidationError("broken")
        return compose_account_mail(row)

    monkeypatch.setattr(sending, "compose_account_mail", fail_once)
    send_all(sender)
    assert states() == [State.NOT_SENT, State.SENT]
    assert [to for _, to in recipients(catcher)] == ["second@example.com"]
