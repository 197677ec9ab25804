"""The record of each mail, per event and address: written before it can be taken, and when its end is known.

Each is one statement, together with the inbox; the end of a mail and the beginning of the next are one too.
All that concerns one mail must use the same connection: it holds the lock of the mail.
An end waits for the disk of PostgreSQL, and a beginning alone does not: where an end is on the disk, so is
what was written before. A mail whose beginning is lost in a crash of PostgreSQL is sent as one that was never
begun.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Struct

from foundation import metrics
from foundation.round_trips import one_round_trip
from orders_app import inbox
from orders_app.inbox import Beginning
from orders_app.mail import reader
from orders_app.mail.composing import mail_id_of, one_line
from orders_app.mail.events import MailEvent
from orders_app.mail.reader import Reader
from orders_app.models import MailRecord

MAIL_GROUP = "email-service-group"
State = MailRecord.State
MAX_TEXT = 64
LONGEST_WAIT_MINUTES = 60
"""A mail that is deferred again and again waits as long as it has waited in all, and no longer than this."""
STALE_HOURS = 3
"""A mail that was not tried for longer holds up none that come after it."""

# Of a mail that is tried again, the beginning stays the first one.
_OR_UPDATE = """
ON CONFLICT (message_id, address) DO UPDATE
SET state = EXCLUDED.state, detail = EXCLUDED.detail, ended_at = EXCLUDED.ended_at
"""
_RECORD = """
INSERT INTO mail_record
    (message_id, event_id, order_number, user_id, kind, address, state, detail, begun_at, ended_at)
"""
# The address of a user who was erased while the mail was under way must not come back, nor the server's words
# about it.
_KEPT = """
CASE WHEN %(address)s::text <> '' AND EXISTS (SELECT FROM redaction WHERE user_id = %(account)s::bigint)
THEN '' ELSE {}::text END
"""
_ADDRESS, _DETAIL = _KEPT.format("%(address)s"), _KEPT.format("%(detail)s")
_FIELDS = f"%(key)s::text, %(event_id)s, %(order_number)s, %(user_id)s, %(kind)s, {_ADDRESS}"
_BEGUN = f"""
{_RECORD}
SELECT {_FIELDS}, CASE WHEN begun > 0 THEN %(sending)s ELSE %(unsure)s END, '', now(), NULL
FROM begun {{joined}}
{_OR_UPDATE}
RETURNING (SELECT begun FROM begun)
"""  # noqa: S608 - texts of ours
_ENDED = f"{_RECORD} VALUES ({_FIELDS}, %(state)s, {_DETAIL}, now(), now()) {_OR_UPDATE}"
_BEGIN = f"WITH begun AS ({inbox.BEGIN}) " + _BEGUN.format(
    joined="CROSS JOIN set_config('synchronous_commit', 'off', true)"
)
_RELEASED = f"{_ENDED} RETURNING {inbox.RELEASE}"
_END = f"WITH done AS ({inbox.FINISH}) {_RELEASED}"
_END_OF_BEFORE = f"done AS ({inbox.FINISH}), ended AS ({_RELEASED})".replace("%(", "%(ended_")
_END_AND_BEGIN = f"WITH {_END_OF_BEFORE}, begun AS ({inbox.BEGIN}) " + _BEGUN.format(  # noqa: S608
    joined="CROSS JOIN (SELECT count(*) FROM ended) AS before"
)
_PUT_OFF = f"{_RECORD} VALUES ({_FIELDS}, %(state)s, {_DETAIL}, now(), now()) {_OR_UPDATE}"
_FIND = f"""
SELECT {reader.FIELDS}, {inbox.IS_DONE},
    own.state = %(deferred)s
    AND own.ended_at + least(own.ended_at - own.begun_at, interval '{LONGEST_WAIT_MINUTES} minutes') > now(),
    EXISTS (
        SELECT FROM mail_record AS earlier
        WHERE earlier.order_number = %(order_number)s AND earlier.address = {reader.ADDRESS}
        AND earlier.state = %(deferred)s AND earlier.ended_at > now() - interval '{STALE_HOURS} hours'
        AND earlier.id < coalesce(own.id, {2**63 - 1})
    )
FROM {reader.ACCOUNT}
LEFT JOIN mail_record AS own ON own.message_id = %(key)s::text AND own.address = {reader.ADDRESS}
WHERE account.id = %(account)s
"""  # noqa: S608


class MailEnd(Struct, frozen=True):
    """What became of a mail, and why where it was not sent."""

    state: MailRecord.State
    detail: str = ""


class EndedMail(Struct, frozen=True):
    """A mail whose end is known."""

    event: MailEvent
    address: str
    end: MailEnd


class Known(Struct, frozen=True):
    """What is known of a mail that is to be sent.

    `is_done`: its event was told. `must_wait`: the server deferred it, and it is too early to ask again.
    `is_behind`: an earlier mail about the same order to the same address is deferred.
    """

    is_done: bool = False
    must_wait: bool = False
    is_behind: bool = False


def nothing() -> None:
    """What is done meanwhile where there is nothing to do."""


def find_reader_of(database: BaseDatabaseWrapper, event: MailEvent) -> tuple[Reader, Known] | None:
    """The user that the event names, if there is one (`find_reader`), and what is known of their mail.

    One statement, which changes and locks nothing.
    """
    account = reader.account_number(event.user_id)
    if account is None:
        return None
    fields: dict[str, str | int] = {
        "group": MAIL_GROUP,
        "key": event.key,
        "order_number": one_line(event.order_number)[:MAX_TEXT],
        "deferred": State.DEFERRED.value,
        "account": account,
    }
    with database.cursor() as cursor:
        cursor.execute(_FIND, fields)
        row = cursor.fetchone()
    if row is None:
        return None
    *of_reader, is_done, must_wait, is_behind = row
    return Reader(event.user_id, *of_reader), Known(is_done, bool(must_wait), is_behind)


def begin_mail(
    database: BaseDatabaseWrapper,
    event: MailEvent,
    address: str,
    ended: EndedMail | None = None,
    meanwhile: Callable[[], None] = nothing,
) -> Beginning:
    """Record that the mail is being sent now, unless it has been, or that may have happened too often.

    The end of the mail before is recorded by the same statement, whatever comes of the beginning.
    `meanwhile` is called while PostgreSQL does that and commits it; it raises nothing. The connection is in
    autocommit.
    """
    fields = _fields(event, address) | {"sending": State.SENDING.value, "unsure": State.UNSURE.value}
    if ended:
        fields |= {f"ended_{name}": value for name, value in _fields_of(ended).items()}
    with database.cursor() as cursor, database.cursor() as other:
        with one_round_trip(database):
            # With a COMMIT of its own PostgreSQL does not wait for the end of the block to commit.
            other.execute("BEGIN")
            cursor.execute(_END_AND_BEGIN if ended else _BEGIN, fields)
            other.execute("COMMIT")
            meanwhile()
        row = cursor.fetchone()
    if ended:
        metrics.MAILS.labels(ended.end.state).inc()
    beginning = inbox.beginning_of(database, row, group=MAIL_GROUP, key=event.key)
    if beginning is Beginning.UNSURE:
        metrics.MAILS.labels(State.UNSURE).inc()
    return beginning


def end_mail(database: BaseDatabaseWrapper, ended: EndedMail) -> None:
    """Record the end of the mail, and that its message is done."""
    with database.cursor() as cursor:
        cursor.execute(_END, _fields_of(ended))
    metrics.MAILS.labels(ended.end.state).inc()


def put_off_mail(
    database: BaseDatabaseWrapper, event: MailEvent, address: str, detail: str, *, is_begun: bool
) -> None:
    """Record that the mail was certainly not sent, and is to be sent later."""
    fields = _fields_of(EndedMail(event, address, MailEnd(State.DEFERRED, detail)))
    with database.cursor() as cursor, one_round_trip(database):
        # One transaction: nothing ends it before the block does.
        if is_begun:
            inbox.take_back(database, group=MAIL_GROUP, key=event.key)
        cursor.execute(_PUT_OFF, fields)
    metrics.MAILS.labels(State.DEFERRED).inc()


def _fields_of(ended: EndedMail) -> Mapping[str, Any]:
    end = {"state": ended.end.state.value, "detail": ended.end.detail}
    return _fields(ended.event, ended.address) | end


def _fields(event: MailEvent, address: str) -> dict[str, Any]:
    return {
        "group": MAIL_GROUP,
        "key": event.key,
        "event_id": mail_id_of(event.event_id),
        "order_number": one_line(event.order_number)[:MAX_TEXT],
        "user_id": one_line(event.user_id)[:MAX_TEXT],
        "account": reader.account_number(event.user_id),
        "kind": event.kind.value,
        "address": one_line(address),
    }
