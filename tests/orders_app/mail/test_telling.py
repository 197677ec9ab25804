"""A customer is told of an event once, and what became of each mail is recorded."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.models import F

from orders_app.inbox import Beginning
from orders_app.mail import telling
from orders_app.mail.events import MailEvent, Money, PaymentFailed, Refunded
from orders_app.mail.recording import begin_mail
from orders_app.mail.server import MailDeferred, MailServer, MailServerUnavailable
from orders_app.mail.telling import CustomerMail, MaybeSentTwice
from orders_app.models import InboxMessage, MailPreference, MailRecord
from tests.concurrency import run_beside
from tests.orders_app.mail.mailing import AT, event, send_to
from tests.orders_app.mail.scripted_server import HANG_UP, scripted_server
from tests.running_catcher import Catcher

pytestmark = pytest.mark.django_db(transaction=True)

State = MailRecord.State
ONE = Money(1, "USD")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def catcher(mail_catcher: Catcher, settings: Any) -> Catcher:
    send_to(mail_catcher, settings)
    return mail_catcher


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


@pytest.fixture
def mail(server: MailServer) -> CustomerMail:
    return CustomerMail(server)


def tell(mail: CustomerMail, happened: MailEvent, upcoming: MailEvent | None = None) -> None:
    """Sends the mail about an event and records its end, as at the end of a batch."""
    mail.tell_customer(happened, upcoming)
    mail.record_end()


def user(address: str = "alice@example.com", **fields: Any) -> User:
    return User.objects.create_user("alice", address, **fields)


def record() -> tuple[str, str]:
    """State and detail of the only record."""
    found = MailRecord.objects.get()
    return found.state, found.detail


def test_an_event_is_told_once_however_often_it_comes(catcher: Catcher, mail: CustomerMail) -> None:
    happened = event(user_id=str(user().pk))
    for _ in range(3):
        tell(mail, happened)
    assert len(catcher.mails()) == 1
    kept = MailRecord.objects.get()
    assert (kept.event_id, kept.address, kept.state) == (happened.event_id, "alice@example.com", State.SENT)
    assert kept.ended_at is not None


def test_a_mail_that_was_prepared_ahead_is_the_same_and_its_reader_is_asked_again_when_it_is_old(
    catcher: Catcher, mail: CustomerMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = user()
    first, second, third = (event(user_id=str(alice.pk), order_number=f"SB-{n}") for n in range(3))
    tell(mail, first, second)
    tell(mail, second, third)
    MailPreference.objects.create(user=alice, notifications=False)
    monkeypatch.setattr(telling, "PREPARED_SECONDS", 0.0)
    tell(mail, third)
    assert [each["subject"][:4] for each in catcher.mails()] == ["SB-1", "SB-0"]
    assert mail._ahead is None


def test_what_was_prepared_for_one_event_is_not_sent_for_another(
    catcher: Catcher, mail: CustomerMail
) -> None:
    alice = user()
    first, second, third = (event(user_id=str(alice.pk), order_number=f"SB-{n}") for n in range(3))
    tell(mail, first, second)
    tell(mail, third)
    assert [each["subject"][:4] for each in catcher.mails()] == ["SB-2", "SB-0"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"address": ""}, "the user has no address of their own"),
        ({"address": "a@x.example,b@x.example"}, "the user's address is none that mail servers take"),
        ({"is_active": False}, "the user wants no notifications, or is deactivated"),
    ],
)
def test_who_cannot_or_must_not_get_a_mail_gets_none_and_the_record_says_why(
    fields: dict[str, Any], why: str, catcher: Catcher, mail: CustomerMail
) -> None:
    happened = event(user_id=str(user(**fields).pk))
    for _ in range(2):
        tell(mail, happened)
    assert catcher.mails() == []
    assert record() == (State.NOT_SENT, why)


def test_an_address_that_another_user_holds_gets_no_mail(catcher: Catcher, mail: CustomerMail) -> None:
    user()
    stranger = User.objects.create_user("stranger", "Alice@example.com")
    tell(mail, event(user_id=str(stranger.pk)))
    assert catcher.mails() == []
    assert record() == (State.NOT_SENT, "the user has no address of their own")


@pytest.mark.parametrize("user_id", ["0", "-1", "somebody", "", "9" * 40, "٣", "1\x00"])
def test_an_event_of_nobody_here_is_told_to_nobody(
    user_id: str, catcher: Catcher, mail: CustomerMail
) -> None:
    tell(mail, event(user_id=user_id))
    assert catcher.mails() == []
    assert record() == (State.NOT_SENT, "there is no such user")


def test_who_has_switched_mail_off_still_gets_refunds_and_failed_payments(
    catcher: Catcher, mail: CustomerMail
) -> None:
    alice = user()
    MailPreference.objects.create(user=alice, notifications=False)
    tell(mail, event(user_id=str(alice.pk)))
    assert catcher.mails() == []
    for facts in (
        Refunded(amount=ONE, reason="", at=AT),
        PaymentFailed(amount=ONE, detail="No.", at=AT),
    ):
        tell(mail, event(facts, user_id=str(alice.pk)))
    assert len(catcher.mails()) == 2


def test_an_address_refused_for_good_is_recorded_and_not_tried_again(
    catcher: Catcher, mail: CustomerMail
) -> None:
    happened = event(user_id=str(user("catcher-550-1+good@example.com").pk))
    for _ in range(3):
        tell(mail, happened)
    assert catcher.mails() == []
    state, detail = record()
    assert (state, detail[:3]) == (State.REFUSED, "550")


def test_a_deferred_mail_is_tried_again_as_often_as_it_takes(catcher: Catcher, mail: CustomerMail) -> None:
    happened = event(user_id=str(user("catcher-451-4+often@example.com").pk))
    for _ in range(4):
        with pytest.raises(MailDeferred, match="451"):
            tell(mail, happened)
        assert record()[0] == State.DEFERRED
        wait_for_next_try()
    tell(mail, happened)
    assert len(catcher.mails()) == 1
    assert record() == (State.SENT, "")
    assert InboxMessage.objects.get().begun == 1


def wait_for_next_try(minutes: int = 61) -> None:
    """Makes the records of all deferred mails so much older."""
    ago = timedelta(minutes=minutes)
    MailRecord.objects.filter(state=State.DEFERRED).update(
        begun_at=F("begun_at") - ago, ended_at=F("ended_at") - ago
    )


def test_the_longer_a_mail_is_deferred_the_longer_are_its_waits_up_to_an_hour(
    catcher: Catcher, mail: CustomerMail
) -> None:
    happened = event(user_id=str(user("catcher-451-9+growing@example.com").pk))

    def minutes_until_asked() -> int:
        for minutes in range(100):
            with pytest.raises(MailDeferred) as deferred:
                tell(mail, happened)
            if "451" in str(deferred.value):
                return minutes
            wait_for_next_try(minutes=1)
        raise AssertionError("it is never asked again")

    assert minutes_until_asked() == 0
    wait_for_next_try(minutes=10)
    assert minutes_until_asked() == 0
    since_first = 10
    for expected in (10, 20, 40, 60):
        waited = minutes_until_asked()
        # As long as since the first try; the seconds of this test count in it, too.
        assert waited - min(since_first, 60) in {0, 1}
        since_first += waited
        assert expected <= waited < 1.2 * expected


def test_a_later_mail_about_the_same_order_waits_for_one_that_is_deferred_and_no_other_does(
    catcher: Catcher, mail: CustomerMail
) -> None:
    alice = user("catcher-451-1+behind@example.com")
    placed, confirmed, other = (
        event(user_id=str(alice.pk), order_number=number) for number in ("SB-1", "SB-1", "SB-2")
    )
    with pytest.raises(MailDeferred, match="451"):
        tell(mail, placed, confirmed)
    with pytest.raises(MailDeferred, match="an earlier mail about this order"):
        tell(mail, confirmed)
    tell(mail, other)
    wait_for_next_try()
    with pytest.raises(MailDeferred, match="an earlier mail about this order"):
        tell(mail, confirmed)
    tell(mail, placed)
    wait_for_next_try()
    tell(mail, confirmed)
    assert [each["subject"][:4] for each in catcher.mails()[::-1]] == ["SB-2", "SB-1", "SB-1"]


def test_the_end_of_a_mail_is_recorded_with_the_beginning_of_the_next(
    catcher: Catcher, mail: CustomerMail
) -> None:
    alice = user()
    first, second = (event(user_id=str(alice.pk), order_number=f"SB-{n}") for n in range(2))
    mail.tell_customer(first, second)
    assert record()[0] == State.SENDING
    mail.tell_customer(second)
    states = dict(MailRecord.objects.values_list("order_number", "state"))
    assert states == {"SB-0": State.SENT, "SB-1": State.SENDING}
    assert InboxMessage.objects.get(message_id=first.key).done_at is not None
    assert run_beside(lambda: begin_mail(connection, first, "alice@example.com")) is Beginning.DONE
    assert run_beside(lambda: begin_mail(connection, second, "alice@example.com")) is Beginning.BUSY
    mail.record_end()
    assert run_beside(lambda: begin_mail(connection, second, "alice@example.com")) is Beginning.DONE


def test_while_the_server_is_away_nothing_is_begun(
    catcher: Catcher, mail: CustomerMail, settings: Any
) -> None:
    settings.EMAIL_PORT = 1
    happened = event(user_id=str(user().pk))
    for _ in range(4):
        with pytest.raises(MailServerUnavailable):
            tell(mail, happened)
    assert not MailRecord.objects.exists()
    settings.EMAIL_PORT = catcher.smtp_port
    tell(mail, happened)
    assert len(catcher.mails()) == 1


def test_a_connection_that_ends_over_a_mail_gives_one_copy_more_and_then_it_is_left_to_people(
    mail: CustomerMail, settings: Any
) -> None:
    happened = event(user_id=str(user().pk))
    with scripted_server(end=HANG_UP) as scripted:
        settings.EMAIL_PORT = scripted.server_address[1]
        for _ in range(2):
            with pytest.raises(MailServerUnavailable):
                tell(mail, happened)
        with pytest.raises(MaybeSentTwice):
            tell(mail, happened)
        assert record()[0] == State.UNSURE
        scripted.answers["."] = "250 ok"
        tell(mail, happened)  # a redrive
        tell(mail, happened)
    assert len(scripted.mails) == 3
    assert len({each.split(b"Message-ID: ")[1].split(b"\r\n")[0] for each in scripted.mails}) == 1
    assert record()[0] == State.SENT


def test_a_mail_that_is_sent_but_not_recorded_is_not_sent_again_by_its_process(
    catcher: Catcher, mail: CustomerMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = event(user_id=str(user().pk))

    def fail(*_: object) -> None:
        raise OperationalError("PostgreSQL is away")

    with monkeypatch.context() as away:
        away.setattr(telling, "end_mail", fail)
        for _ in range(3):
            with pytest.raises(OperationalError):
                tell(mail, happened)
    tell(mail, happened)
    assert len(catcher.mails()) == 1
    assert record()[0] == State.SENT


class Killed(BaseException):
    """A process ends here."""


def tell_and_die(
    mail: CustomerMail, happened: MailEvent, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tells of an event until this point."""

    def kill(name: str) -> None:
        if name == point:
            raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(telling, "kill_point", kill)
        with pytest.raises(Killed):
            mail.tell_customer(happened)


def test_a_process_that_was_killed_over_a_mail_gives_one_copy_more(
    catcher: Catcher, mail: CustomerMail, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = event(user_id=str(user().pk))
    tell_and_die(mail, happened, "after-sending-mail-before-record", monkeypatch)
    assert InboxMessage.objects.get().done_at is None
    successor = CustomerMail(server)
    for _ in range(2):
        tell(successor, happened)
    copies = catcher.mails()
    assert len(copies) == 2
    assert record()[0] == State.SENT


def test_processes_that_are_killed_before_the_server_has_the_whole_mail_count_for_nothing(
    catcher: Catcher, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = event(user_id=str(user().pk))
    for _ in range(4):
        tell_and_die(CustomerMail(server), happened, "before-sending-mail", monkeypatch)
    assert not InboxMessage.objects.exists()
    tell(CustomerMail(server), happened)
    assert len(catcher.mails()) == 1
