"""Composing mails: subject, text and HTML from templates, in the language and locale of the reader.

The templates of a kind are `mail/<kind>/subject.txt`, `body.txt` and `body.html` (orders_app/templates).
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import get_template
from django.utils.translation import get_language_bidi, override
from msgspec import Struct

from foundation.printable import printable, shortened
from orders_app.customer_sentences import translated
from orders_app.mail.events import ALWAYS_SENT, MailEvent, Money
from orders_app.mail.reader import Reader
from orders_app.mail.unsubscribing import unsubscribe_url

MAX_SHOWN = 1000
"""Longest text of others in a mail, in characters."""
MAX_IN_HEADER = 100
_SAFE_ID = re.compile(r"[A-Za-z0-9.:/-]{1,120}")
_SENTENCES = {"detail", "reason"}
"""The facts that may be sentences of our own."""
_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n+")


class Mail(Struct, frozen=True):
    """What a mail says, before it is addressed."""

    subject: str
    text: str
    html: str


def compose_mail(event: MailEvent, reader: Reader) -> EmailMultiAlternatives:
    """The mail about this event to this reader, ready to be sent."""
    mail = write_mail(event, reader)
    link = unsubscribe_url(reader.user_id)
    return address_mail(
        mail,
        reader,
        mail_id=mail_id_of(event.event_id),
        headers={
            "X-Stockbridge-Event": mail_id_of(event.event_id),
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def write_mail(event: MailEvent, reader: Reader) -> Mail:
    """What the mail about this event says to this reader."""
    with override(reader.language or settings.LANGUAGE_CODE):
        facts = _as_fields(event.facts, reader)
    context = {
        "order_number": one_line(event.order_number)[:MAX_IN_HEADER],
        "order_url": f"{settings.PUBLIC_URL}/orders/{quote(event.order_number, safe='')}/",
        "unsubscribe_url": unsubscribe_url(reader.user_id),
        "is_always_sent": event.kind in ALWAYS_SENT,
        **facts,
    }
    return render_mail(f"mail/{event.kind}", context, reader)


def render_mail(folder: str, context: Mapping[str, Any], reader: Reader) -> Mail:
    """The templates of a folder with these values; `name` and `language` are added."""
    with override(reader.language or settings.LANGUAGE_CODE):
        values = {
            **context,
            "name": one_line(reader.name),
            "language": str(reader.locale).replace("_", "-"),
            "direction": "rtl" if get_language_bidi() else "ltr",
        }
        subject = one_line(get_template(f"{folder}/subject.txt").render(values))
        text = get_template(f"{folder}/body.txt").render(values)
        html = get_template(f"{folder}/body.html").render(values | {"subject": subject})
    return Mail(subject, _EMPTY_LINES.sub("\n\n", text).strip() + "\n", html)


def address_mail(
    mail: Mail, reader: Reader, mail_id: str, headers: Mapping[str, str]
) -> EmailMultiAlternatives:
    """The mail with its headers; the same `mail_id` gives the same Message-ID, so a copy can be told."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[formataddr((one_line(reader.name)[:MAX_IN_HEADER], reader.ascii_address))],
        headers={
            "Message-ID": f"<{re.sub('[:/]', '.', mail_id)}@{_sender_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **headers,
        },
    )
    message.attach_alternative(mail.html, "text/html")
    return message


def mail_id_of(event_id: str) -> str:
    """The event's id, or its digest where the id is not one that headers may have."""
    if _SAFE_ID.fullmatch(event_id):
        return event_id
    return hashlib.sha256(event_id.encode(errors="surrogatepass")).hexdigest()[:40]


def one_line(text: str) -> str:
    """A text of others on one line, without control characters, and not too long."""
    return shortened(printable(" ".join(text.split())), MAX_SHOWN)


def _sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]


def _as_fields(struct: Struct, reader: Reader) -> dict[str, Any]:
    shown = {name: _shown(value, reader) for name, value in msgspec.structs.asdict(struct).items()}
    return shown | {name: translated(str(shown[name])) for name in _SENTENCES & shown.keys()}


def _shown(value: object, reader: Reader) -> object:
    """A fact as the templates show it: texts safe, money and times in the reader's locale."""
    match value:
        case Money():
            return reader.money(value)
        case datetime():
            return reader.moment(value)
        case str():
            return one_line(value)
        case tuple():
            return [_shown(each, reader) for each in value]
        case Struct():
            return _as_fields(value, reader)
        case _:
            return value
