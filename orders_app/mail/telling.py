"""Telling a customer of an event by mail, once."""

import structlog

from foundation.kill_points import kill_point
from orders_app.inbox import Beginning
from orders_app.mail.composing import compose_mail
from orders_app.mail.events import ALWAYS_SENT, MailEvent
from orders_app.mail.reader import Reader, find_reader
from orders_app.mail.recording import MailEnd, State, begin_mail, end_mail, put_off_mail
from orders_app.mail.server import MailDeferred, MailRefused, MailServer, MailServerUnavailable

log = structlog.get_logger(__name__)


class MaybeSentTwice(Exception):
    """Two processes were killed over this mail, which may be sent or not: people decide."""

    def __init__(self) -> None:
        super().__init__("the mail may have been sent twice already; a redrive sends it once more")


class CustomerMail:
    """Sends the mails of one worker, one at a time."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._unrecorded: dict[str, tuple[str, MailEnd]] = {}

    def tell_customer(self, event: MailEvent) -> None:
        """Send the mail about this event, unless that was done or its reader wants none.

        Raises MailServerUnavailable and database errors: the event must come again. Raises MailDeferred: it
        must come again later. Raises MaybeSentTwice.
        """
        if unrecorded := self._unrecorded.get(event.key):
            return self._end(event, *unrecorded)
        reader = find_reader(event.user_id)
        if reader is None:
            return self._end(event, "", MailEnd(State.NOT_SENT, "there is no such user"))
        if why_not := _why_not(event, reader):
            return self._end(event, reader.address, MailEnd(State.NOT_SENT, why_not))
        return self._send(event, reader)

    def _send(self, event: MailEvent, reader: Reader) -> None:
        mail = compose_mail(event, reader)
        self._server.connect()
        match begin_mail(event, reader.address):
            case Beginning.DONE:
                return
            case Beginning.UNSURE:
                raise MaybeSentTwice
        kill_point("before-sending-mail")
        try:
            self._server.send(mail)
            end = MailEnd(State.SENT)
        except MailRefused as refusal:
            end = MailEnd(State.REFUSED, refusal.answer)
            log.warning("the mail server refuses a mail for good", kind=event.kind, answer=refusal.answer)
        except BaseException as error:
            self._put_off(event, reader, error)
            raise
        kill_point("after-sending-mail-before-record")
        self._end(event, reader.address, end)

    def _end(self, event: MailEvent, address: str, end: MailEnd) -> None:
        # Where the database is away now, the event comes again to this process, which must not send again.
        self._unrecorded[event.key] = (address, end)
        end_mail(event, address, end)
        del self._unrecorded[event.key]

    def _put_off(self, event: MailEvent, reader: Reader, error: BaseException) -> None:
        if isinstance(error, MailServerUnavailable) and error.may_have_sent:
            return
        detail = error.answer if isinstance(error, MailDeferred) else ""
        put_off_mail(event, reader.address, MailEnd(State.DEFERRED, detail))


def _why_not(event: MailEvent, reader: Reader) -> str:
    """Why this reader gets no mail about this event; empty where they get it."""
    if not reader.address:
        return "the user has no address of their own"
    if not reader.has_usable_address:
        return "the user's address is none that mail servers take"
    if not reader.has_notifications and event.kind not in ALWAYS_SENT:
        return "the user wants no notifications, or is deactivated"
    return ""
