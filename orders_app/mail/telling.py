"""Telling a customer of an event by mail, once."""

import time
from contextlib import suppress
from functools import partial

import structlog
from django.core.mail import EmailMultiAlternatives
from msgspec import Struct, field

from foundation.kill_points import kill_point
from foundation.outage import DependencyUnavailable
from orders_app.inbox import Beginning, release
from orders_app.mail.composing import compose_mail
from orders_app.mail.events import ALWAYS_SENT, MailEvent
from orders_app.mail.reader import Reader, find_reader
from orders_app.mail.recording import MailEnd, State, begin_mail, end_mail, put_off_mail
from orders_app.mail.server import MailDeferred, MailRefused, MailServer, MailServerUnavailable, as_sent

PREPARED_SECONDS = 1.0
"""What was prepared longer ago is prepared again: its reader may have switched mail off since."""

log = structlog.get_logger(__name__)


class MaybeSentTwice(Exception):
    """Two processes were killed over this mail, which may be sent or not: people decide."""

    def __init__(self) -> None:
        super().__init__("the mail may have been sent twice already; a redrive sends it once more")


class _Prepared(Struct, frozen=True):
    """An event with its reader's address and their mail; or why there is none."""

    event: MailEvent
    address: str
    mail: EmailMultiAlternatives | None = None
    data: bytes = b""
    why_not: str = ""
    at: float = field(default_factory=time.monotonic)

    def fits(self, event: MailEvent) -> bool:
        """Whether this is for that event, and not too old."""
        return event is self.event and time.monotonic() - self.at < PREPARED_SECONDS


class CustomerMail:
    """Sends the mails of one worker, one at a time."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._unrecorded: dict[str, tuple[str, MailEnd]] = {}
        self._ahead: _Prepared | None = None

    def tell_customer(self, event: MailEvent, upcoming: MailEvent | None = None) -> None:
        """Send the mail about this event, unless that was done or its reader wants none.

        The mail about `upcoming` is prepared while the mail server is awaited. Raises DependencyUnavailable
        and database errors: the event must come again. Raises MailDeferred: it must come again later. Raises
        MaybeSentTwice.
        """
        if unrecorded := self._unrecorded.get(event.key):
            return self._end(event, *unrecorded)
        ahead, self._ahead = self._ahead, None
        prepared = ahead if ahead and ahead.fits(event) else _prepare(event)
        if prepared.mail is None:
            return self._end(event, prepared.address, MailEnd(State.NOT_SENT, prepared.why_not))
        return self._send(prepared, prepared.mail, upcoming)

    def _send(self, prepared: _Prepared, mail: EmailMultiAlternatives, upcoming: MailEvent | None) -> None:
        event, address = prepared.event, prepared.address
        self._server.connect()
        match begin_mail(event, address):
            case Beginning.DONE:
                return
            case Beginning.BUSY:
                raise DependencyUnavailable("another worker", "it is sending the next mail of this one")
            case Beginning.UNSURE:
                raise MaybeSentTwice
        kill_point("before-sending-mail")
        try:
            self._server.send(mail, prepared.data, partial(self._prepare_ahead, upcoming))
            end = MailEnd(State.SENT)
        except MailRefused as refusal:
            end = MailEnd(State.REFUSED, refusal.answer)
            log.warning("the mail server refuses a mail for good", kind=event.kind, answer=refusal.answer)
        except BaseException as error:
            _put_off(event, address, error)
            release(key=event.key)
            raise
        kill_point("after-sending-mail-before-record")
        self._end(event, address, end)

    def _prepare_ahead(self, event: MailEvent | None) -> None:
        """Prepare a mail before its turn; what fails now is found out again at its turn."""
        if event:
            with suppress(Exception):
                self._ahead = _prepare(event)

    def _end(self, event: MailEvent, address: str, end: MailEnd) -> None:
        # Where the database is away now, the event comes again to this process, which must not send again.
        self._unrecorded[event.key] = (address, end)
        end_mail(event, address, end)
        del self._unrecorded[event.key]


def _prepare(event: MailEvent) -> _Prepared:
    reader = find_reader(event.user_id)
    if reader is None:
        return _Prepared(event, "", why_not="there is no such user")
    if why_not := _why_not(event, reader):
        return _Prepared(event, reader.address, why_not=why_not)
    mail = compose_mail(event, reader)
    return _Prepared(event, reader.address, mail, as_sent(mail))


def _put_off(event: MailEvent, address: str, error: BaseException) -> None:
    """Record that the mail was not sent, where that is certain."""
    if isinstance(error, MailServerUnavailable) and error.may_have_sent:
        return
    detail = error.answer if isinstance(error, MailDeferred) else ""
    put_off_mail(event, address, MailEnd(State.DEFERRED, detail))


def _why_not(event: MailEvent, reader: Reader) -> str:
    """Why this reader gets no mail about this event; empty where they get it."""
    if not reader.address:
        return "the user has no address of their own"
    if not reader.has_usable_address:
        return "the user's address is none that mail servers take"
    if not reader.has_notifications and event.kind not in ALWAYS_SENT:
        return "the user wants no notifications, or is deactivated"
    return ""
