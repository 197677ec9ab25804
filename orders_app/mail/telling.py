"""Telling a customer of an event by mail, once."""

import time
from contextlib import suppress
from functools import partial

import structlog
from django.core.mail import EmailMultiAlternatives
from msgspec import Struct, field

from foundation.kill_points import kill_point
from foundation.metrics import DUPLICATES_ABSORBED
from foundation.outage import DependencyUnavailable
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


class _Prepared(Struct, frozen=True):
    """An event with its reader's address and their mail; or why there is none."""

    event: MailEvent
    address: str
    mail: EmailMultiAlternatives | None = None
    data: bytes = b""
    why_not: str = ""
    known: Known = Known()
    at: float = field(default_factory=time.monotonic)

    def fits(self, event: MailEvent) -> bool:
        """Whether this is for that event, and not too old."""
        return event is self.event and time.monotonic() - self.at < PREPARED_SECONDS


class CustomerMail:
    """Sends the mails of one worker, one at a time.

    That a mail was sent is recorded together with the beginning of the next one, which saves a commit each.
    Where the next one does not follow at once, and at the end of a batch, it is recorded by itself.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._ahead: _Prepared | None = None
        self._is_begun = False
        # Where the database is away, its event comes again to this process, which must not send it again.
        self._unrecorded: EndedMail | None = None

    def tell_customer(self, event: MailEvent, upcoming: MailEvent | None = None) -> None:
        """Send the mail about this event, unless that was done or its reader wants none.

        The mail about `upcoming` is prepared while the mail server is awaited. Raises DependencyUnavailable
        and database errors: the event must come again. Raises MailDeferred: it must come again later. Raises
        MaybeSentTwice. `record_end` must follow before the event counts as handled.
        """
        if self._unrecorded and self._unrecorded.event.key == event.key:
            return self.record_end()
        ahead, self._ahead = self._ahead, None
        prepared = ahead if ahead and ahead.fits(event) else _prepare(event)
        if prepared.known.is_done:
            return DUPLICATES_ABSORBED.labels(MAIL_GROUP).inc()
        if prepared.mail is None:
            return self._end(event, prepared.address, MailEnd(State.NOT_SENT, prepared.why_not))
        if prepared.known.must_wait:
            raise MailDeferred("it was deferred, and is tried again later")
        if prepared.known.is_behind:
            put_off_mail(event, prepared.address, BEHIND, is_begun=False)
            raise MailDeferred(BEHIND)
        return self._send(prepared, prepared.mail, upcoming)

    def record_end(self) -> None:
        """Record the end of the last mail, unless that is done. Raises database errors."""
        if self._unrecorded:
            end_mail(self._unrecorded)
            self._unrecorded = None

    def _send(self, prepared: _Prepared, mail: EmailMultiAlternatives, upcoming: MailEvent | None) -> None:
        event, address, self._is_begun = prepared.event, prepared.address, False
        kill_point("before-sending-mail")
        try:
            with child_span("send mail"):
                self._server.send(
                    mail,
                    prepared.data,
                    before_waiting=self.record_end,
                    before_last_line=partial(self._begin, event, address),
                    meanwhile=partial(self._prepare_ahead, upcoming),
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
            beginning = begin_mail(event, address, ended)
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

    def _prepare_ahead(self, event: MailEvent | None) -> None:
        """Prepare a mail before its turn; what fails now is found out again at its turn."""
        if event:
            with suppress(Exception):
                self._ahead = _prepare(event)

    def _put_off(self, event: MailEvent, address: str, error: BaseException) -> None:
        """Record that the mail was not sent, where that is certain."""
        is_deferred, is_begun = isinstance(error, MailDeferred), self._is_begun
        may_have_sent = isinstance(error, MailServerUnavailable) and error.may_have_sent
        if is_deferred or (is_begun and not may_have_sent):
            # What was prepared while the server took this one does not know yet that it is behind it.
            self._ahead = None
            self.record_end()
            detail = error.answer if isinstance(error, MailDeferred) else ""
            put_off_mail(event, address, detail, is_begun=is_begun)
        if is_begun:
            release(key=event.key)

    def _end(self, event: MailEvent, address: str, end: MailEnd) -> None:
        self.record_end()
        self._unrecorded = EndedMail(event, address, end)


def _prepare(event: MailEvent) -> _Prepared:
    found = find_reader_of(event)
    if found is None:
        return _Prepared(event, "", why_not="there is no such user")
    reader, known = found
    why_not = _why_not(event, reader)
    if known.is_done or why_not:
        return _Prepared(event, reader.address, why_not=why_not, known=known)
    mail = compose_mail(event, reader)
    return _Prepared(event, reader.address, mail, as_sent(mail), known=known)


def _why_not(event: MailEvent, reader: Reader) -> str:
    """Why this reader gets no mail about this event; empty where they get it."""
    if not reader.address:
        return "the user has no address of their own"
    if not reader.has_usable_address:
        return "the user's address is none that mail servers take"
    if not reader.has_notifications and event.kind not in ALWAYS_SENT:
        return "the user wants no notifications, or is deactivated"
    return ""
