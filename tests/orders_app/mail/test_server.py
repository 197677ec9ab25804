"""The mail server's answers, and what they mean for a mail."""

import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import msgspec
import pytest
from django.core.mail import EmailMultiAlternatives
from prometheus_client import REGISTRY

from foundation.rates import Rate
from orders_app.mail import dialogue
from orders_app.mail import server as server_module
from orders_app.mail.composing import compose_mail
from orders_app.mail.server import MailDeferred, MailRefused, MailServer, MailServerUnavailable
from tests.orders_app.mail.mailing import ALICE, event, send_to
from tests.orders_app.mail.scripted_server import AFTER_DATA, HANG_UP, ScriptedServer, scripted_server
from tests.running_catcher import Catcher


@pytest.fixture(autouse=True)
def catcher(mail_catcher: Catcher, settings: Any) -> Catcher:
    send_to(mail_catcher, settings)
    settings.MAIL_RATE = None
    return mail_catcher


def mail(address: str = "alice@example.com", name: str = "Alice") -> EmailMultiAlternatives:
    return compose_mail(event(), msgspec.structs.replace(ALICE, address=address, name=name))


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


def use(scripted: ScriptedServer, settings: Any) -> None:
    settings.EMAIL_PORT = scripted.server_address[1]


def failure(server: MailServer, settings: Any, **answers: str) -> MailServerUnavailable:
    """Why a mail cannot be sent by way of a server that answers so."""
    with scripted_server(**answers) as scripted:
        use(scripted, settings)
        with pytest.raises(MailServerUnavailable) as away:
            server.send(mail())
    return away.value


def test_mails_go_over_one_connection_and_arrive_as_they_were_written(
    catcher: Catcher, settings: Any, server: MailServer
) -> None:
    sent = [mail("o'neil@example.com", "Zoë"), mail('"a b"@example.com'), mail("i@müller.example")]
    for each in sent:
        server.send(each)
    server.close()
    taken = catcher.mails()[::-1]
    assert [each["to"] for each in taken] == [
        ["o'neil@example.com"],
        ['"a b"@example.com'],
        ["i@xn--mller-kva.example"],
    ]
    assert [each["subject"] for each in taken] == [each.subject for each in sent]


def test_lines_that_begin_with_a_dot_and_letters_beyond_ascii_arrive(
    settings: Any, server: MailServer
) -> None:
    with scripted_server() as scripted:
        sent = mail(name="Zoë")
        sent.body = ".\r\n..two\r\nZoë\r\n.\r\n"
        use(scripted, settings)
        server.send(sent)
    text = b"".join(
        line[1:] if line.startswith(b".") else line for line in scripted.mails[0].splitlines(True)
    )
    body = message_from_bytes(text, policy=default).get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == [".", "..two", "Zoë", "."]


@pytest.mark.parametrize("address", ["catcher-550@example.com", "catcher-data-554@example.com"])
def test_an_answer_of_5xx_is_for_good_and_the_connection_goes_on(
    address: str, catcher: Catcher, server: MailServer
) -> None:
    with pytest.raises(MailRefused, match=r"55[04] This"):
        server.send(mail(address))
    server.send(mail())
    assert len(catcher.mails()) == 1


@pytest.mark.parametrize("address", ["catcher-451-1+s@example.com", "catcher-data-452-1+s@example.com"])
def test_an_answer_of_4xx_is_for_now(address: str, catcher: Catcher, server: MailServer) -> None:
    with pytest.raises(MailDeferred, match=r"45[12] This"):
        server.send(mail(address))
    server.send(mail(address))
    assert len(catcher.mails()) == 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"greeting": "421 closing"}, "421 closing"),
        ({"greeting": "554 no service"}, "554 no service"),
        ({"MAIL": "550 who are you"}, "(MAIL_FROM): 550 who are you"),
        ({"MAIL": "451 later"}, "451 later"),
        ({"RCPT": "421 closing"}, "421 closing"),
        ({"end": "421 closing"}, "421 closing"),
        ({"RCPT": "999 what"}, "999 what"),
        ({"RCPT": HANG_UP}, "Connection unexpectedly closed"),
    ],
)
def test_a_server_that_takes_no_mail_at_all_is_away_and_the_mail_was_not_sent(
    answers: dict[str, str], reason: str, settings: Any, server: MailServer
) -> None:
    away = failure(server, settings, **answers)
    assert reason in str(away)
    assert not away.may_have_sent


def test_nobody_listens(settings: Any, server: MailServer) -> None:
    settings.EMAIL_PORT = 1
    with pytest.raises(MailServerUnavailable, match="Connection refused") as away:
        server.connect()
    assert not away.value.may_have_sent


def test_a_wrong_password_is_said_without_the_password(settings: Any, server: MailServer) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "rosebud"
    answers = {"EHLO": "250-scripted\r\n250 AUTH PLAIN", "AUTH": "535 rosebud is wrong"}
    away = failure(server, settings, **answers)
    assert "user and password of EMAIL_URL" in str(away)
    assert "rosebud" not in str(away)


def test_a_connection_that_ends_before_the_answer_may_have_sent(settings: Any, server: MailServer) -> None:
    assert failure(server, settings, end=HANG_UP).may_have_sent


def test_an_answer_that_never_comes_may_have_sent(
    settings: Any, monkeypatch: pytest.MonkeyPatch, server: MailServer
) -> None:
    monkeypatch.setattr(dialogue, "LAST_REPLY_SECONDS", 0.0)
    with scripted_server() as scripted:
        scripted.answers["."] = "250-wait"
        monkeypatch.setattr(dialogue, "has_arrived", lambda *_: False)
        use(scripted, settings)
        with pytest.raises(MailServerUnavailable, match="not answered a mail") as away:
            server.send(mail())
    assert away.value.may_have_sent


def test_a_connection_that_ends_within_a_mail_is_that_mails_fault_where_the_server_is_there(
    settings: Any, server: MailServer
) -> None:
    with scripted_server() as scripted:
        use(scripted, settings)
        server.connect()
        large = mail()
        large.body = "x" * 70 + "\n" + ("y" * 70 + "\n") * 400_000
        scripted.hangs_up_within_mails = True
        with pytest.raises(MailDeferred, match="ended within the mail"):
            server.send(large)


PIPELINING = "250-scripted\r\n250 PIPELINING"


def test_a_server_that_takes_commands_at_once_gets_them_at_once(settings: Any, server: MailServer) -> None:
    with scripted_server(EHLO=PIPELINING, RCPT=AFTER_DATA) as scripted:
        use(scripted, settings)
        for _ in range(2):
            server.send(mail())
    assert len(scripted.mails) == 2
    server.close()
    settings.EMAIL_TIMEOUT = 0.3
    with scripted_server(RCPT=AFTER_DATA) as one_by_one:
        use(one_by_one, settings)
        with pytest.raises(MailServerUnavailable, match="timed out"):
            server.send(mail())


@pytest.mark.parametrize("answer_to_data", ["354 go on", "503 nobody to send it to"])
@pytest.mark.parametrize(
    ("answer", "error"), [("550 unknown", MailRefused), ("451 later", MailDeferred)], ids=["5xx", "4xx"]
)
def test_a_recipient_refused_after_commands_sent_at_once_gets_no_mail_and_the_connection_goes_on(
    answer: str, error: type[Exception], answer_to_data: str, settings: Any, server: MailServer
) -> None:
    with scripted_server(EHLO=PIPELINING, RCPT=answer, DATA=answer_to_data) as scripted:
        use(scripted, settings)
        with pytest.raises(error, match=answer):
            server.send(mail())
        scripted.answers |= {"RCPT": "250 ok", "DATA": "354 go on"}
        server.send(mail())
    assert [bool(each) for each in scripted.mails][-1:] == [True]
    assert scripted.mails.count(b"") == (answer_to_data == "354 go on")
    assert len([each for each in scripted.commands if each.upper().startswith("EHLO")]) == 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"MAIL": "550 who are you", "RCPT": "503 no", "DATA": "503 no"}, "(MAIL_FROM): 550 who are you"),
        ({"RCPT": "421 closing"}, "421 closing"),
        ({"RCPT": HANG_UP}, "Connection unexpectedly closed"),
    ],
)
def test_a_server_that_takes_no_mail_is_away_after_commands_sent_at_once_too(
    answers: dict[str, str], reason: str, settings: Any, server: MailServer
) -> None:
    away = failure(server, settings, EHLO=PIPELINING, **answers)
    assert reason in str(away)
    assert not away.may_have_sent


def test_before_the_last_line_the_server_has_no_mail_and_what_is_raised_there_ends_it(
    catcher: Catcher, server: MailServer
) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    arrived: list[Any] = []

    with pytest.raises(Stopped):
        server.send(mail(), before_last_line=stop)
    server.send(mail(), before_last_line=lambda: arrived.extend(catcher.mails()))
    assert arrived == []
    assert len(catcher.mails()) == 1


def test_it_is_told_before_it_waits_for_a_slow_answer_a_connection_or_its_turn(
    catcher: Catcher, settings: Any, monkeypatch: pytest.MonkeyPatch, server: MailServer
) -> None:
    told: list[str] = []
    server.send(mail(), before_waiting=lambda: told.append("connection"))
    assert told
    monkeypatch.setattr(dialogue, "has_arrived", lambda _, seconds: seconds == 1.0)
    server.send(mail(), before_waiting=lambda: told.append("slow"))
    settings.MAIL_RATE = Rate(limit=1000, seconds=1)
    server.send(mail(), before_waiting=lambda: told.append("turn"))
    assert {"slow", "turn"} <= set(told)


def test_a_connection_that_the_server_has_closed_meanwhile_is_opened_again(
    catcher: Catcher, monkeypatch: pytest.MonkeyPatch, server: MailServer
) -> None:
    monkeypatch.setattr(server_module, "TRUSTED_SECONDS", 0.0)
    server.send(mail())
    catcher.kill()
    with pytest.raises(MailServerUnavailable):
        server.send(mail())
    catcher.start()
    server.send(mail())
    assert len(catcher.mails()) == 2


def test_mails_are_sent_no_faster_than_the_rate(settings: Any, server: MailServer) -> None:
    settings.MAIL_RATE = Rate(limit=20, seconds=1)
    started = time.monotonic()
    for _ in range(5):
        server.send(mail())
    assert time.monotonic() - started >= 0.2


def test_a_console_or_folder_takes_mails_too(
    settings: Any, capsys: pytest.CaptureFixture[str], server: MailServer
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    server.send(mail())
    assert "To: Alice <alice@example.com>" in capsys.readouterr().out


def test_the_time_of_a_mail_is_observed(server: MailServer) -> None:
    def observed() -> float:
        return REGISTRY.get_sample_value("stockbridge_mail_seconds_count") or 0

    before = observed()
    server.send(mail())
    assert observed() == before + 1
