"""What has expired goes, what is in use stays, and the order log has its partitions in time."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from orders_app.event_log.partitions import add_due_partitions, seconds_ahead
from orders_app.housekeeping import keep_house
from orders_app.models import AccountMail, GatewayEvent, InboxMessage, MailAddressChange, MailRecord, SignIn
from orders_app.services import delete_expired
from tests.orders_app.first_partition import let_first_partition_end

pytestmark = pytest.mark.django_db

LONG_AGO, SOON = timedelta(days=-62), timedelta(days=1)
KINDS = [
    *("refresh_token", "sign_in", "session", "account_mail", "mail_address_change"),
    *("inbox_message", "mail_record", "gateway_event", "wrong_password"),
]


def add(name: str, expires_in: timedelta) -> None:
    """One row of each kind; the token has been used."""
    moment = timezone.now() + expires_in
    user = User.objects.create(username=name)
    token = OutstandingToken.objects.create(user=user, jti=name, token=name, expires_at=moment)
    BlacklistedToken.objects.create(token=token)
    SignIn.objects.create(id=name, user_id=user.pk, created_at=moment, expires_at=moment)
    Session.objects.create(session_key=name, session_data="", expire_date=moment)
    AccountMail.objects.create(kind="password_reset", address=name, created_at=moment)
    MailAddressChange.objects.create(user=user, address=name, requested_at=moment)
    attempt = AccessAttempt.objects.create(username=name, failures_since_start=1)
    AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=moment)
    InboxMessage.objects.create(group="g", message_id=name, begun_at=moment)
    MailRecord.objects.create(message_id=name, begun_at=moment)
    GatewayEvent.objects.create(event_id=name, kind="payment", created_at=moment)
    GatewayEvent.objects.filter(pk=name).update(received_at=moment)


def left() -> set[str]:
    return {
        *OutstandingToken.objects.values_list("jti", flat=True),
        *BlacklistedToken.objects.values_list("token__jti", flat=True),
        *SignIn.objects.values_list("id", flat=True),
        *Session.objects.values_list("session_key", flat=True),
        *AccountMail.objects.values_list("address", flat=True),
        *MailAddressChange.objects.values_list("address", flat=True),
        *AccessAttempt.objects.values_list("username", flat=True),
        *InboxMessage.objects.values_list("message_id", flat=True),
        *MailRecord.objects.values_list("message_id", flat=True),
        *GatewayEvent.objects.values_list("pk", flat=True),
    }


def test_what_has_expired_is_deleted_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delete_expired, "BATCH_ROWS", 2)
    for number in range(3):
        add(f"old-{number}", LONG_AGO)
    add("valid", SOON)
    assert keep_house(threading.Event()) == dict.fromkeys(KINDS, 3)
    assert left() == {"valid"}
    assert keep_house(threading.Event()) == dict.fromkeys(KINDS, 0)


def test_what_the_gateway_told_staff_stays() -> None:
    add("old", LONG_AGO)
    GatewayEvent.objects.update(kind="dispute")
    assert keep_house(threading.Event())["gateway_event"] == 0
    assert GatewayEvent.objects.get().pk == "old"


def test_a_sign_in_that_ended_is_deleted_before_it_expires() -> None:
    add("ended", SOON)
    SignIn.objects.update(ended_at=timezone.now() + LONG_AGO)
    assert keep_house(threading.Event())["sign_in"] == 1
    assert OutstandingToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_timer_that_expires_holds_keeps_house_too() -> None:
    add("old", LONG_AGO)
    out = StringIO()
    call_command("expire_holds", "--once", stdout=out)
    assert "1 expired rows deleted: refresh_token" in out.getvalue()


def test_a_partition_is_added_before_its_month_begins() -> None:
    assert add_due_partitions() == []
    let_first_partition_end(1)
    assert len(add_due_partitions()) == 1
    assert add_due_partitions() == []
    assert seconds_ahead() > timedelta(days=27).total_seconds()
