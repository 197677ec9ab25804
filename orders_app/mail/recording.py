"""The record of each mail, per event and address: written before it is sent, and when its end is known.

Each is one statement, together with the inbox. The beginning does not wait for the disk of PostgreSQL: the
end does, and what was written before is then on the disk too. A mail whose beginning is lost in a crash of
PostgreSQL is sent as one that was never begun.
"""

from typing import Any

from django.db import connection, transaction
from msgspec import Struct

from foundation import metrics
from orders_app import inbox
from orders_app.inbox import Beginning
from orders_app.mail.composing import mail_id_of, one_line
from orders_app.mail.events import MailEvent
from orders_app.models import MailRecord

MAIL_GROUP = "email-service-group"
State = MailRecord.State
MAX_TEXT = 64

_RECORD = """
INSERT INTO mail_record
    (message_id, event_id, order_number, user_id, kind, address, state, detail, begun_at, ended_at)
"""
_OR_UPDATE = """
ON CONFLICT (message_id, address) DO UPDATE
SET state = EXCLUDED.state, detail = EXCLUDED.detail, ended_at = EXCLUDED.ended_at,
    begun_at = EXCLUDED.begun_at
"""
_FIELDS = "%(key)s::text, %(event_id)s, %(order_number)s, %(user_id)s, %(kind)s, %(address)s"
_BEGIN = f"""
WITH begun AS ({inbox.BEGIN})
{_RECORD}
SELECT {_FIELDS}, CASE WHEN begun > 0 THEN %(sending)s ELSE %(unsure)s END, '', now(), NULL
FROM begun CROSS JOIN set_config('synchronous_commit', 'off', true)
{_OR_UPDATE}
RETURNING (SELECT begun FROM begun)
"""  # noqa: S608 - texts of ours
_END = f"""
WITH done AS ({inbox.FINISH})
{_RECORD} VALUES ({_FIELDS}, %(state)s, %(detail)s, now(), now()) {_OR_UPDATE}
RETURNING {inbox.RELEASE}
"""
_PUT_OFF = f"""
{_RECORD} VALUES ({_FIELDS}, %(state)s, %(detail)s, now(), NULL) {_OR_UPDATE}
"""


class MailEnd(Struct, frozen=True):
    """What became of a mail, and why where it was not sent."""

    state: MailRecord.State
    detail: str = ""


def begin_mail(event: MailEvent, address: str) -> Beginning:
    """Record that the mail is being sent now, unless it has been, or that may have happened too often."""
    fields = _fields(event, address) | {"sending": State.SENDING.value, "unsure": State.UNSURE.value}
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, fields)
        row = cursor.fetchone()
    beginning = inbox.beginning_of(row, group=MAIL_GROUP, key=event.key)
    if beginning is Beginning.UNSURE:
        metrics.MAILS.labels(State.UNSURE).inc()
    return beginning


def end_mail(event: MailEvent, address: str, end: MailEnd) -> None:
    """Record the end of the mail, and that its message is done."""
    with connection.cursor() as cursor:
        cursor.execute(_END, _fields(event, address, end))
    metrics.MAILS.labels(end.state).inc()


def put_off_mail(event: MailEvent, address: str, end: MailEnd) -> None:
    """Record that the mail was certainly not sent, and is to be sent later."""
    with transaction.atomic(), connection.cursor() as cursor:
        inbox.take_back(group=MAIL_GROUP, key=event.key)
        cursor.execute(_PUT_OFF, _fields(event, address, end))
    metrics.MAILS.labels(end.state).inc()


def _fields(event: MailEvent, address: str, end: MailEnd | None = None) -> dict[str, Any]:
    fields = {
        "group": MAIL_GROUP,
        "key": event.key,
        "event_id": mail_id_of(event.event_id),
        "order_number": one_line(event.order_number)[:MAX_TEXT],
        "user_id": one_line(event.user_id)[:MAX_TEXT],
        "kind": event.kind.value,
        "address": one_line(address),
    }
    return fields | {"state": end.state.value, "detail": end.detail} if end else fields
