"""Telling a customer of an event by mail, once."""

import time
from contextlib import suppress
from functools import partial

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Struct, field

from foundation.kill_points import kill_point
from foundation.metrics import DUPLICATES_ABSORBED
from foundation.outage import DependencyUnavailable
from foundation.shared_connection import shared_connection
from foundation.tracing import child_span
from orders_app.inbox import Beginning, release
from orders_app.mail.composing import compose_mail, mail_id_of
from orders_app.mail.events import ALWAYS_SENT, MailEvent
from orders_app.mail.reader import Reader
from orders_app.mail.recording import (
    MAIL_GROUP,
    EndedMail,
    Known,
    MailEnd,
    State,
    begin_mail,
    end_mail,
    find_reader_of,
    put_off_mail,
)
from orders_app.mail.server import MailDeferred, MailRefused, MailServer, MailServerUnavailable, as_sent

MAIL = "mail"
"""The purpose by which the statements about mail share a connection to PostgreSQL."""
PREPARED_SECONDS = 1.0
"""What was prepared longer ago is prepared again: its reader may have switched mail off since."""
BEHIND = "an earlier mail about this order is deferred"

log = structlog.get_logger(__name__)


class MaybeSentTwice(Exception):
    """Two processes were killed over this mail, which may be sent or not: people decide."""

    def __init__(self) -> None:
        super().__init__("the mail may have been sent twice already; a redrive sends it once more")


class _Done(Exception):
    """Another process has told of the event meanwhile."""


class _Found(Struct, frozen=True):
    """An event with its reader, and what is known of their mail."""

    event: MailEvent
    reader: Reader | None
    known: Known
    at: float = field(default_factory=time.monotonic)


class _Prepared(Struct, frozen=True):
    """An event with its reader's address and their mail; or why there is none."""

    found: _Found
    mail: EmailMultiAlternatives | None = None
    data: bytes = b""
    why_not: str = ""

    @property
    def address(self) -> str:
        """The reader's address; empty where there is none."""
        return self.found.reader.address if self.found.reader else ""

    def fits(self, event: MailEvent) -> bool:
        """Whether this is for that event, and its reader was not looked up too long ago."""
        return event is self.found.event and time.monotonic() - self.found.at < PREPARED_SECONDS


class CustomerMail:
    """Sends the mails of one worker, one at a time.

    That a mail was sent is recorded together with the beginning of the next one, which saves a commit each.
    Where the next one does not follow at once, and at the end of a batch, it is recorded by itself.
    While servers are awaited the next mail is prepared: its reader is looked up while the mail server reads
    to whom this mail goes, and it is written while PostgreSQL records the beginning of this one.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._database = shared_connection(MAIL)
        self._upcoming: _Found | None = None
        self._ahead: _Prepared | None = None
        self._is_begun = False
        # Where the database is away, its event comes again to this process, which must not send it again.
        self._unrecorded: EndedMail | None = None

    def tell_customer(self, event: MailEvent, upcoming: MailEvent | None = None) -> None:
        """Send the mail about this event, unless that was done or its reader wants none.

        The mail about `upcoming` is prepared while servers are awaited. Raises DependencyUnavailable
        and database errors: the event must come again. Raises MailDeferred: it must come again later. Raises
        MaybeSentTwice. `record_end` must follow before the event counts as handled.
        """
        if self._unrecorded and self._unrecorded.event.key == event.key:
            return self.record_end()
        if not self._unrecorded:
            # Only now: a connection that is closed gives up the lock that it holds.
            self._database = shared_connection(MAIL)
        ahead, self._ahead = self._ahead, None
        prepared = ahead if ahead and ahead.fits(event) else _written(_look_up(self._database, event))
        known = prepared.found.known
        if known.is_done:
            return DUPLICATES_ABSORBED.labels(MAIL_GROUP).inc()
        if prepared.mail is None:
            return self._end(event, prepared.address, MailEnd(State.NOT_SENT, prepared.why_not))
        if known.must_wait:
            raise MailDeferred("it was deferred, and is tried again later")
        if known.is_behind:
            put_off_mail(self._database, event, prepared.address, BEHIND, is_begun=False)
            raise MailDeferred(BEHIND)
        return self._send(prepared, prepared.mail, upcoming)

    def record_end(self) -> None:
        """Record the end of the last mail, unless that is done. Raises database errors."""
        if self._unrecorded:
            end_mail(self._database, self._unrecorded)
            self._unrecorded = None

    def warm_up(self, event: MailEvent) -> None:
        """Connect to PostgreSQL and look for the reader of an event. Raises database errors."""
        _look_up(self._database, event)

    def disconnect(self) -> None:
        """Close the connection to PostgreSQL; it opens again at its next use."""
        self._database.close()

    def _send(self, prepared: _Prepared, mail: EmailMultiAlternatives, upcoming: MailEvent | None) -> None:
        event, address, self._is_begun = prepared.found.event, prepared.address, False
        self._upcoming = None
        kill_point("before-sending-mail")
        try:
            with child_span("send mail"):
                self._server.send(
                    mail,
                    prepared.data,
                    before_waiting=self.record_end,
                    before_last_line=partial(self._begin, event, address),
                    meanwhile=partial(self._look_ahead, upcoming),
                )
            end = MailEnd(State.SENT)
        except MailRefused as refusal:
            end = MailEnd(State.REFUSED, refusal.answer)
            log.warning("the mail server refuses a mail for good", event_id=mail_id_of(event.event_id))
        except _Done:
            DUPLICATES_ABSORBED.labels(MAIL_GROUP).inc()
            return
        except BaseException as error:
            self._put_off(event, address, error)
            raise
        kill_point("after-sending-mail-before-record")
        self._end(event, address, end)

    def _begin(self, event: MailEvent, address: str) -> None:
        """Record that the server may take the mail from now on. Raises where it must not."""
        ended, self._unrecorded = self._unrecorded, None
        try:
            beginning = begin_mail(self._database, event, address, ended, self._write_ahead)
        except BaseException:
            self._unrecorded = ended
            raise
        match beginning:
            case Beginning.DONE:
                raise _Done
            case Beginning.BUSY:
                raise DependencyUnavailable("another worker", "it is sending the next mail of this one")
            case Beginning.UNSURE:
                raise MaybeSentTwice
        self._is_begun = True
        kill_point("before-last-line-of-mail")

    def _look_ahead(self, event: MailEvent | None) -> None:
        """Look for the reader of a mail before its turn; what fails now is found out again at its turn."""
        if event:
            with suppress(Exception):
                self._upcoming = _look_up(self._database, event)

    def _write_ahead(self) -> None:
        """Write the mail whose reader was found before its turn."""
        if self._upcoming:
            with suppress(Exception):
                self._ahead = _written(self._upcoming)

    def _put_off(self, event: MailEvent, address: str, error: BaseException) -> None:
        """Record that the mail was not sent, where that is certain."""
        is_deferred, is_begun = isinstance(error, MailDeferred), self._is_begun
        may_have_sent = isinstance(error, MailServerUnavailable) and error.may_have_sent
        if is_deferred or (is_begun and not may_have_sent):
            # What was prepared while the server took this one does not know yet that it is behind it.
            self._ahead = None
            self.record_end()
            detail = error.answer if isinstance(error, MailDeferred) else ""
            put_off_mail(self._database, event, address, detail, is_begun=is_begun)
        if is_begun:
            release(self._database, key=event.key)

    def _end(self, event: MailEvent, address: str, end: MailEnd) -> None:
        self.record_end()
        self._unrecorded = EndedMail(event, address, end)


def _look_up(database: BaseDatabaseWrapper, event: MailEvent) -> _Found:
    reader, known = find_reader_of(database, event) or (None, Known())
    return _Found(event, reader, known)


def _written(found: _Found) -> _Prepared:
    why_not = _why_not(found.event, found.reader)
    if found.reader is None or found.known.is_done or why_not:
        return _Prepared(found, why_not=why_not)
    mail = compose_mail(found.event, found.reader)
    return _Prepared(found, mail, as_sent(mail))


def _why_not(event: MailEvent, reader: Reader | None) -> str:
    """Why nobody gets a mail about this event; empty where its reader gets one."""
    if reader is None:
        return "there is no such user"
    if not reader.address:
        return "the user has no address of their own"
    if not reader.has_usable_address:
        return "the user's address is none that mail servers take"
    if not reader.has_notifications and event.kind not in ALWAYS_SENT:
        return "the user wants no notifications, or is deactivated"
    return ""
