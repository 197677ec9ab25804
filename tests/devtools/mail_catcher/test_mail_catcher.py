"""The mail catcher in a process of its own: real SMTP in, pages and JSON out."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from devtools.mail_catcher.letter import read_letter
from devtools.mail_catcher.mails import Mails
from tests.running_catcher import Catcher


@pytest.fixture
def smtp(mail_catcher: Catcher) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", mail_catcher.smtp_port, timeout=10) as connection:
        yield connection


def letter(subject: str = "Ünlaut", to: str = "alice@example.com", html: str = "<p>Hi</p>") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Shop <shop@example.com>", to
    message["Message-ID"] = f"<{subject.encode().hex()}@shop>"
    message.set_content("See https://shop.example.com/reset?a=1&b=2 & <b>")
    message.add_alternative(html, subtype="html")
    return message


def test_mails_are_listed_newest_first_and_found_by_their_words(
    mail_catcher: Catcher, smtp: smtplib.SMTP
) -> None:
    for subject in ("first", "Zwölf 100%", "third"):
        smtp.send_message(letter(subject, f"{subject[:5].lower()}@example.com"))
    assert [mail["subject"] for mail in mail_catcher.mails()] == ["third", "Zwölf 100%", "first"]
    assert [mail["subject"] for mail in mail_catcher.mails("ZWÖLF 100%25")] == ["Zwölf 100%"]
    assert [mail["subject"] for mail in mail_catcher.mails("third@")] == ["third"]
    assert mail_catcher.mails("%25third") == []


def test_commands_may_come_without_waiting_for_answers(mail_catcher: Catcher, smtp: smtplib.SMTP) -> None:
    smtp.ehlo()
    assert smtp.has_extn("pipelining")
    smtp.send("MAIL FROM:<shop@example.com>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n")
    assert [smtp.getreply()[0] for _ in range(3)] == [250, 250, 354]
    smtp.send("Subject: at once\r\n\r\nHello\r\n.\r\n")
    assert smtp.getreply()[0] == 250
    assert [mail["subject"] for mail in mail_catcher.mails()] == ["at once"]


def test_the_mails_of_an_order_are_found_by_its_id(mail_catcher: Catcher, smtp: smtplib.SMTP) -> None:
    for order in ("01a2-7de7", "01a2-7de8"):
        message = letter(order[-4:])
        message["X-Stockbridge-Event"] = f"{order}:3"
        smtp.send_message(message)
    assert [mail["subject"] for mail in mail_catcher.mails("01A2-7de8")] == ["7de8"]


def test_one_mail_has_its_envelope_headers_text_and_html(mail_catcher: Catcher, smtp: smtplib.SMTP) -> None:
    smtp.send_message(letter(), to_addrs=["alice@example.com", "bob@example.com"])
    found = mail_catcher.mail("ünlaut")
    assert found["from"] == "shop@example.com"
    assert found["to"] == ["alice@example.com", "bob@example.com"]
    assert found["headers"]["Message-ID"] == f"<{'Ünlaut'.encode().hex()}@shop>"
    assert found["text"].strip() == "See https://shop.example.com/reset?a=1&b=2 & <b>"
    assert found["html"].strip() == "<p>Hi</p>"


def test_a_mail_that_was_answered_survives_a_kill(tmp_path: Path) -> None:
    catcher = Catcher(tmp_path)
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=10) as smtp:
        smtp.send_message(letter())
        catcher.kill()
    catcher.start()
    assert len(catcher.mails()) == 1
    assert catcher.stop() == 0


def test_pages_escape_the_mail_and_frame_its_html_without_scripts(
    mail_catcher: Catcher, smtp: smtplib.SMTP
) -> None:
    smtp.send_message(letter("<script>1</script>", html="<html><head></head><script>2</script></html>"))
    number = mail_catcher.mails()[0]["id"]
    page, framed = mail_catcher.get(f"/messages/{number}"), mail_catcher.get(f"/messages/{number}/html")
    assert "&lt;script&gt;1" in mail_catcher.get("/").text
    assert "&lt;script&gt;1" in page.text
    assert "<script>1" not in page.text
    assert 'href="https://shop.example.com/reset?a=1&amp;b=2"' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert '<base target="_blank">' in framed.text
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert mail_catcher.get(f"/messages/{number}/raw").content.startswith(b"Subject: ")


@pytest.mark.parametrize("path", ["/messages/999999", "/messages/x", "/messages/1/other", "/../etc/passwd"])
def test_there_is_nothing_at_other_paths(mail_catcher: Catcher, path: str) -> None:
    assert mail_catcher.get(path).status_code == 404


def test_other_names_and_pages_of_other_sites_are_refused(mail_catcher: Catcher, smtp: smtplib.SMTP) -> None:
    smtp.send_message(letter())
    own, port = f"http://127.0.0.1:{mail_catcher.http_port}", mail_catcher.http_port
    assert mail_catcher.get("/api/messages", Host=f"evil.example:{port}").status_code == 403
    assert mail_catcher.get("/api/messages", Origin="https://evil.example").status_code == 403
    assert requests.post(f"{own}/delete-all", headers={"Origin": "null"}, timeout=10).status_code == 403
    assert len(mail_catcher.mails()) == 1
    assert requests.post(f"{own}/delete-all", headers={"Origin": own}, timeout=10).url == f"{own}/"
    assert mail_catcher.mails() == []


@pytest.mark.parametrize("recipient", ["catcher-550+x@example.com", "Catcher-data-554@example.com"])
def test_some_recipients_are_refused_for_good(
    mail_catcher: Catcher, smtp: smtplib.SMTP, recipient: str
) -> None:
    for _ in range(2):
        with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)):
            smtp.send_message(letter(to=recipient))
    assert mail_catcher.mails() == []


def test_some_recipients_are_refused_so_many_times_first(mail_catcher: Catcher, smtp: smtplib.SMTP) -> None:
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            smtp.send_message(letter(to="catcher-451-2@example.com"))
        assert [code for code, _ in refused.value.recipients.values()] == [451]
    smtp.send_message(letter(to="catcher-451-2@example.com"))
    assert len(mail_catcher.mails()) == 1


def test_a_lost_answer_is_of_a_mail_that_was_kept(mail_catcher: Catcher, smtp: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.send_message(letter(to="catcher-lost-answer-1@example.com"))
    assert len(mail_catcher.mails()) == 1
    with smtplib.SMTP("127.0.0.1", mail_catcher.smtp_port, timeout=10) as once_more:
        once_more.send_message(letter(to="catcher-lost-answer-1@example.com"))
    assert len(mail_catcher.mails()) == 2


def test_a_mail_that_is_too_large_is_refused(smtp: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        smtp.sendmail(
            "a@example.com", "b@example.com", b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 1_000_000
        )
    assert refused.value.smtp_code == 552


@pytest.mark.parametrize("bounds", [{"most": 2}, {"most_bytes": 250}])
def test_the_oldest_mails_give_way(tmp_path: Path, bounds: dict[str, int]) -> None:
    path = tmp_path / "mails.sqlite3"
    for number in range(4):
        mails = Mails(path, **bounds)
        mails.add(sender="", recipients=[], content=f"Subject: {number}\r\n\r\n".encode().ljust(100))
    assert [mail.subject for mail in mails.page(limit=10)] == ["3", "2"]
    mails.delete_all()
    mails.add(sender="", recipients=[], content=b"Subject: new\r\n\r\n".ljust(300))
    assert mails.count() == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "Subject: ü\r\nTo: ü@example.com\r\n\r\nü".encode(),
        b"Subject: \xff\r\n\r\n\xff",
        b"\xff\xfe\x00",
        b"Subject: =?unknown?B?AA=\r\nFrom: <<>;,\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\nContent-Transfer-Encoding: what\r\n\r\nx",
        b"Content-Type: text/html; charset=\r\nSubject: a\r\n b\r\n\r\n<p>",
    ],
)
def test_every_mail_can_be_read(content: bytes) -> None:
    found = read_letter(content)
    shown = found.text + found.html + found.header("Subject") + found.header("To")
    assert shown.encode().decode() == shown
    assert "\r" not in shown


def test_a_port_that_is_in_use_is_one_sentence(mail_catcher: Catcher, tmp_path: Path) -> None:
    options = ["--folder", str(tmp_path), "--smtp-port", str(mail_catcher.smtp_port), "--http-port", "0"]
    refused = subprocess.run(
        [sys.executable, "-m", "devtools.mail_catcher", *options], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"mail catcher: cannot listen on ports {mail_catcher.smtp_port} and 0")
    assert len(refused.stderr.splitlines()) == 1


def test_help_names_the_recipients_that_are_refused() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "devtools.mail_catcher", "--help"], capture_output=True, text=True, check=True
    )
    assert "catcher-lost-answer-1@…" in shown.stdout
