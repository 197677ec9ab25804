"""What mails say and how they are addressed, whatever names, reasons and addresses hold."""

import re
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import msgspec
import pytest

from orders_app.mail.composing import Mail, compose_mail, write_mail
from orders_app.mail.events import (
    CancelCause,
    Cancelled,
    Confirmed,
    MailEvent,
    MailLine,
    Money,
    PaymentFailed,
    Placed,
    Refunded,
    Shipped,
)
from orders_app.mail.examples import example_events
from orders_app.mail.reader import Reader
from orders_app.mail.server import as_sent
from orders_app.models import MailKind
from tests.orders_app.mail.mailing import ALICE, AT, event

EXAMPLES = example_events("7")
each_mail = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
ATTACKS = ["Bcc: mallory@example.com\r\nSubject: hello", "<script>alert(1)</script>", "a\x00b\x1b[31m\u202e"]


@pytest.fixture(autouse=True)
def shop(settings: object) -> None:
    settings.PUBLIC_URL = "https://shop.example"  # type: ignore[attr-defined]
    settings.DEFAULT_FROM_EMAIL = "Stockbridge <orders@shop.example>"  # type: ignore[attr-defined]


def sent(mail_event: MailEvent, reader: Reader = ALICE) -> EmailMessage:
    """The mail as its reader gets it."""
    data = as_sent(compose_mail(mail_event, reader))
    return message_from_bytes(data, policy=default)


def refund(amount: str, currency: str, **reader: str) -> Mail:
    facts = Refunded(amount=Money(Decimal(amount), currency), reason="", at=AT)
    return write_mail(event(facts), msgspec.structs.replace(ALICE, **reader))


def test_every_kind_has_an_example() -> None:
    assert {example.kind for example in EXAMPLES.values()} == set(MailKind)


@each_mail
def test_a_mail_has_a_subject_that_begins_with_the_order_number_and_two_bodies(example: MailEvent) -> None:
    mail = sent(example)
    assert mail["Subject"].startswith(f"{example.order_number}: ")
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for body in (text.get_content(), html.get_content()):
        assert "Alice" in body
        assert f"https://shop.example/orders/{example.order_number}/" in body
        assert "https://shop.example/mail/unsubscribe/7." in body
        assert not re.search(r"{[{%]|None|\bUNSET\b", body)


@each_mail
def test_the_html_needs_no_pictures_no_other_host_and_no_style_sheet_to_be_read(example: MailEvent) -> None:
    html = write_mail(example, ALICE).html
    assert not re.search(r"<img|<link|<script|url\(|@import", html)
    assert {link.split("/")[2] for link in re.findall(r'(?:href|src)="([^"]+)"', html)} == {"shop.example"}
    outside_the_head = html.partition("</head>")[2]
    styled = re.findall(r"<(?:body|td|h1|p|a)\b[^>]*>", outside_the_head)
    assert [tag for tag in styled if "style=" not in tag and 'align="center"' not in tag] == []
    assert "prefers-color-scheme: dark" in html


def test_the_headers_say_that_a_program_sent_it_and_how_to_end_it() -> None:
    mail_event = event()
    mail = sent(mail_event)
    order_id = mail_event.order_id
    assert mail["Message-ID"] == f"<{order_id}.3@shop.example>"
    assert mail["X-Stockbridge-Event"] == f"{order_id}:3"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"] == "Stockbridge <orders@shop.example>"
    assert mail["To"] == "Alice <alice@example.com>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://shop\.example/mail/unsubscribe/7\.[\w-]+/>", mail["List-Unsubscribe"])


def test_a_second_copy_has_the_same_id_and_another_event_another_one() -> None:
    mail_event = event()
    assert sent(mail_event)["Message-ID"] == sent(mail_event)["Message-ID"]
    assert sent(mail_event)["Message-ID"] != sent(event())["Message-ID"]


@pytest.mark.parametrize("event_id", ["<x>\r\nBcc: m@example.com", "ü", "x" * 5000, "a b"])
def test_an_event_id_of_a_stranger_stays_a_valid_header(event_id: str) -> None:
    mail = sent(event(event_id=event_id))
    assert re.fullmatch(r"<[0-9a-f]{40}@shop\.example>", mail["Message-ID"])
    assert re.fullmatch(r"[0-9a-f]{40}", mail["X-Stockbridge-Event"])
    assert mail["Bcc"] is None


@pytest.mark.parametrize("attack", ATTACKS, ids=["headers", "markup", "control characters"])
def test_names_and_reasons_of_others_add_no_header_no_markup_and_no_control_characters(attack: str) -> None:
    facts = Cancelled(
        cause=CancelCause.SHOP, reason=attack, lines=(MailLine(name=attack, quantity=1),), at=AT
    )
    reader = msgspec.structs.replace(ALICE, name=attack)
    mail = sent(event(facts, order_number=attack, order_id=attack), reader)
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject") or []) == 1
    assert "alice@example.com" in mail["To"]
    html = write_mail(event(facts, order_number=attack), reader).html
    assert "<script" not in html
    assert not set("\x00\x1b\u202e") & set(mail["Subject"] + html)


@pytest.mark.parametrize(
    ("address", "in_header"),
    [
        ("o'neil+shop@example.com", "o'neil+shop@example.com"),
        ('"a b"@example.com', '"a b"@example.com'),
        ("info@müller.example", "info@xn--mller-kva.example"),
    ],
)
def test_unusual_addresses_are_written_as_mail_servers_take_them(address: str, in_header: str) -> None:
    assert in_header in sent(event(), msgspec.structs.replace(ALICE, address=address))["To"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "a@example.com,b@example.com",
        "a@b@c.example",
        "a\n@example.com",
        "ä@example.com",
        "a b@c.de",
    ],
)
def test_what_is_no_address_of_one_person_is_known(address: str) -> None:
    assert not msgspec.structs.replace(ALICE, address=address).has_usable_address


@pytest.mark.parametrize(
    ("amount", "currency", "language", "shown"),
    [
        ("1234.5", "USD", "", "$1,234.50"),
        ("1234.5", "USD", "de", "1.234,50\xa0$"),
        ("1234.5", "EUR", "fr", "1\u202f234,50\xa0€"),
        ("1234", "JPY", "", "¥1,234"),
        ("1.234", "KWD", "", "KWD1.234"),
        ("1234.5", "USD", "klingon", "$1,234.50"),
    ],
)
def test_money_has_the_decimals_of_its_currency_and_the_form_of_the_readers_locale(
    amount: str, currency: str, language: str, shown: str
) -> None:
    assert shown in refund(amount, currency, language=language).text


@pytest.mark.parametrize(
    ("language", "time_zone", "shown"),
    [
        ("", "", "November 26, 2026, 9:05\u202fPM UTC"),
        ("", "America/New_York", "November 26, 2026, 4:05\u202fPM EST"),
        ("de", "Asia/Kolkata", "27. November 2026, 02:35"),
        ("", "Nowhere/City", "November 26, 2026, 9:05\u202fPM UTC"),
    ],
)
def test_time_is_that_of_the_readers_zone_in_the_form_of_their_locale(
    language: str, time_zone: str, shown: str
) -> None:
    assert shown in refund("1", "USD", language=language, time_zone=time_zone).text


def test_a_language_that_is_written_from_right_to_left_has_that_direction() -> None:
    assert '<html lang="ar" dir="rtl">' in refund("1", "USD", language="ar").html


def test_each_cancellation_has_words_of_its_own() -> None:
    texts = {
        cause: write_mail(event(Cancelled(cause=cause, reason="", lines=(), at=AT)), ALICE).text
        for cause in CancelCause
    }
    assert len(set(texts.values())) == len(CancelCause)


def test_the_shipped_mail_has_the_tracking_number_and_the_placed_mail_all_lines() -> None:
    assert "1Z 999" in write_mail(event(Shipped(tracking_number="1Z 999", at=AT)), ALICE).text
    lines = tuple(MailLine(f"Lamp {n}", n, Money(Decimal(n), "USD")) for n in range(1, 40))
    placed = Placed(lines=lines, total=Money(Decimal(780), "USD"), is_prepaid=True, at=AT)
    text = write_mail(event(placed), ALICE).text
    assert all(f"{n} x Lamp {n}: ${n}.00" in text for n in range(1, 40))
    assert "Total: $780.00" in text


def test_mails_about_money_say_that_they_always_come() -> None:
    failed = PaymentFailed(amount=Money(Decimal(1), "USD"), detail="No.", at=AT)
    assert "about your money" in write_mail(event(failed), ALICE).text
    assert "about your money" not in write_mail(event(Confirmed(at=AT)), ALICE).text


@pytest.mark.parametrize(("is_last", "offers_another_card"), [(False, True), (True, False)])
def test_after_the_last_decline_no_other_card_is_offered(*, is_last: bool, offers_another_card: bool) -> None:
    facts = PaymentFailed(
        amount=Money(Decimal(1), "USD"), detail="Your card was declined.", is_last=is_last, at=AT
    )
    mail = write_mail(event(facts), ALICE)
    for body in (mail.text, mail.html):
        assert ("another card" in body) == offers_another_card
