"""German: mails, pages behind their links, and sentences for customers."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils.translation import override

from orders_app.accounts.account_mails import example_account_mails
from orders_app.customer_sentences import KNOWN, translated
from orders_app.mail.composing import Mail, write_mail
from orders_app.mail.examples import DEMO_LINES, SHORTAGE, example_events
from orders_app.mail.reader import Reader
from orders_app.mail.unsubscribing import unsubscribe_url
from orders_app.payments import stripe_gateway, wire
from orders_app.payments.audit import repair
from orders_app.services import (
    change_order,
    expire_holds,
    locked_order,
    record_payment_answers,
    record_stock_answers,
)
from orders_app.services.rejection import UNEXPLAINED
from tests.orders_app.mail.mailing import ALICE

FOLDER = Path(__file__).parents[3] / "orders_app/locale/de/LC_MESSAGES"
HANS = msgspec.structs.replace(ALICE, name="Hans", language="de")
SAME_IN_BOTH = re.compile(
    "|".join(
        [
            *(re.escape(name) for name, _, _ in DEMO_LINES),
            r"Stockbridge|--|https?://|\N{MULTIPLICATION SIGN} |1Z ",
            "The lamp was damaged|One lantern came broken",
        ]
    )
)


@pytest.fixture(autouse=True)
def public_url(settings: Any) -> None:
    settings.PUBLIC_URL = "http://testserver"


def mails(reader: Reader) -> dict[str, Mail]:
    written = {name: write_mail(event, reader) for name, event in example_events("7").items()}
    return written | dict(example_account_mails(reader))


def lines_of(mail: Mail) -> Iterator[str]:
    """The lines that a person reads, of subject, text and HTML."""
    body = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "\n", mail.html, flags=re.DOTALL))
    for line in (mail.subject.partition(": ")[2], *mail.text.splitlines(), *body.splitlines()):
        if len(line.split()) > 1 and not SAME_IN_BOTH.search(line):
            yield line.strip()


def test_no_line_of_a_german_mail_is_english() -> None:
    english = {line for mail in mails(ALICE).values() for line in lines_of(mail)}
    for name, mail in mails(HANS).items():
        assert english.isdisjoint(lines_of(mail)), (name, english & {*lines_of(mail)})
        assert '<html lang="de"' in mail.html
    placed = mails(HANS)["placed"]
    assert placed.subject.endswith("wir haben Ihre Bestellung")
    assert "Guten Tag Hans!\n" in placed.text  # after a comma, a sentence would begin with a small letter
    assert "Summe: 324,70\N{NO-BREAK SPACE}$" in placed.text
    assert "26. November 2026, 09:30 UTC" in placed.text


def test_sentences_that_services_write_are_known_to_the_translation() -> None:
    reasons = [
        change_order.CANCELLED_BY_CUSTOMER.detail,
        change_order.CANCELLED_BY_STAFF.detail,
        locked_order.PAYMENT_FAILED.detail,
        expire_holds.HOLD_EXPIRED.detail,
        locked_order.CANCELLED_WHEN_PAID,
        locked_order.PAID_WHEN_CANCELLED,
        record_payment_answers.PAID_BEFORE,
        record_stock_answers.STOCK_RELEASED.detail,
        repair.REASON,
        UNEXPLAINED,
        stripe_gateway.INVALID_METHOD,
        stripe_gateway.NOT_CHARGEABLE,
        *(failure.detail for failure in (wire.DECLINED, wire.NEEDS_ACTION, wire.CALLED_OFF)),
    ]
    assert set(reasons) <= KNOWN
    with (FOLDER / "django.po").open("rb") as text:
        assert {message.id for message in read_po(text)} >= KNOWN


def test_a_rejection_is_told_in_german_with_the_names_as_they_are() -> None:
    more = "We could not reserve your order: Lamp: 2 requested, no longer sold; and 3 more products."
    with override("de"):
        assert translated(SHORTAGE) == (
            "Wir konnten Ihre Bestellung nicht reservieren: Storm Lantern: 3 bestellt, 1 vorrätig."
        )
        assert translated(more).endswith("Lamp: 2 bestellt, nicht mehr im Verkauf; und 3 weitere Produkte.")
        assert translated("Total") == "Total"
    assert translated(SHORTAGE) == SHORTAGE


@pytest.mark.parametrize("accepted", ["de-AT,de;q=0.9,en;q=0.5", "en", "fr"])
def test_the_pages_behind_links_are_in_the_language_of_the_browser(accepted: str) -> None:
    browser = Client(headers={"Accept-Language": accepted})
    page = browser.get(unsubscribe_url("7").removeprefix("http://testserver"))
    is_german = accepted.startswith("de")
    assert ("Benachrichtigungen abstellen?" in page.content.decode()) == is_german
    assert page["Content-Language"] == ("de" if is_german else "en")
    assert "Accept-Language" in page["Vary"]
    form = browser.get("/account/password/reset/")
    assert ("Dieser Link wurde schon benutzt" in form.content.decode()) == is_german
    refused = browser.get("/api/v1/auth/me/")
    assert "Authentication credentials were not provided." in refused.content.decode()
