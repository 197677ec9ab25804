"""Sending account mails, beside the consumer that mails what happens to orders. Any number may run at once.

A mail is claimed for LEASE before it is sent. That it may be sent is recorded once the server has all of it
but its last line, and its end afterwards. A process that is killed leaves it claimed: after LEASE it is sent
again, where it may have been sent once.
"""

import threading
from datetime import timedelta
from functools import partial

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from msgspec import Struct

from foundation import metrics
from foundation.kill_points import kill_point
from foundation.outage import DependencyUnavailable, take_turns
from orders_app.accounts.account_mails import compose_account_mail
from orders_app.mail.server import MailDeferred, MailRefused, MailServer, MailServerUnavailable
from orders_app.models import AccountMail

POLL_SECONDS = 0.5
LEASE = timedelta(minutes=2)
"""Longer than a mail server may take for one mail."""
MOST_BEGUN = 2
"""So often a mail may have been sent: once more, where nobody knows whether it was."""
FIRST_DEFERRAL, LONGEST_DEFERRAL = timedelta(seconds=30), timedelta(hours=1)

State = AccountMail.State

log = structlog.get_logger(__name__)


class _End(Struct, frozen=True):
    """What became of a mail."""

    row: AccountMail
    state: AccountMail.State
    detail: str = ""


def send_account_mails(stop: threading.Event) -> None:
    """Send mails as they are asked for, until `stop` is set. Waits while a server is unavailable."""
    sender = AccountMailSender(MailServer())
    take_turns(stop, lambda: 0.0 if sender.send_next() else POLL_SECONDS)
    sender.close()
    connection.close()


class AccountMailSender:
    """Sends account mails, one at a time."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._unrecorded: _End | None = None

    def close(self) -> None:
        """Close the connection to the mail server."""
        self._server.close()

    def send_next(self) -> bool:
        """Send the mail that is due for longest; whether there was one. Raises DependencyUnavailable."""
        close_old_connections()
        try:
            if self._unrecorded:
                self._end(self._unrecorded)
            if not _due().exists():
                self.close()
                return False
            # Before the claim: a server that is away costs no mail an attempt.
            self._server.connect()
            if row := _claim():
                self._send(row)
        except (OperationalError, InterfaceError) as error:
            raise DependencyUnavailable("PostgreSQL", str(error)) from error
        return row is not None

    def _send(self, row: AccountMail) -> None:
        if row.begun >= MOST_BEGUN:
            detail = "Twice, the process that sent it ended before it could record the answer."
            self._end(_End(row, State.UNSURE, detail))
        elif mail := self._written(row):
            kill_point("before-sending-mail")
            self._send_written(row, mail)

    def _written(self, row: AccountMail) -> EmailMultiAlternatives | None:
        """The mail; None where there is none to send, which is recorded."""
        try:
            mail = compose_account_mail(row)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            self._give_up(row)
            return None
        if mail is None:
            self._end(_End(row, State.NOT_SENT, "There is nobody to send it to."))
        return mail

    def _send_written(self, row: AccountMail, mail: EmailMultiAlternatives) -> None:
        """Send it, and record what became of it. Raises MailServerUnavailable."""
        try:
            self._server.send(mail, before_last_line=partial(_begin, row))
        except MailDeferred as error:
            _defer(row, error.answer)
        except MailRefused as error:
            self._end(_End(row, State.REFUSED, error.answer))
        except MailServerUnavailable as error:
            if not error.may_have_sent:
                AccountMail.objects.filter(pk=row.pk).update(begun=row.begun, due_at=Now())
            raise
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            self._give_up(row)
        else:
            kill_point("after-sending-mail-before-record")
            self._end(_End(row, State.SENT))

    def _give_up(self, row: AccountMail) -> None:
        """A mail that cannot be written, whatever the reason, must not hold up the others."""
        log.exception("account mail cannot be written", mail=row.pk, kind=row.kind)
        self.close()
        self._end(_End(row, State.NOT_SENT, "It could not be written."))

    def _end(self, end: _End) -> None:
        """Record the end of a mail."""
        # Where the database is away now, the end is recorded once it is back: the mail must not go out again.
        self._unrecorded = end
        _record(end)
        self._unrecorded = None
        metrics.MAILS.labels(end.state).inc()


def _due() -> QuerySet[AccountMail]:
    return AccountMail.objects.filter(state=State.WAITING, due_at__lte=Now()).order_by("due_at", "pk")


def _claim() -> AccountMail | None:
    with transaction.atomic():
        row = _due().select_for_update(skip_locked=True).first()
        if row:
            AccountMail.objects.filter(pk=row.pk).update(due_at=Now() + LEASE)
            row.refresh_from_db()
    return row


def _begin(row: AccountMail) -> None:
    """Record that the server may take the mail from now on."""
    AccountMail.objects.filter(pk=row.pk).update(begun=F("begun") + 1)
    kill_point("before-last-line-of-mail")


def _record(end: _End) -> None:
    """Write the end of a mail, and of the same ones that were asked for before it was claimed."""
    same = AccountMail.objects.filter(
        kind=end.row.kind, address=end.row.address, user_id=end.row.user_id, state=State.WAITING
    )
    same.filter(created_at__lte=end.row.due_at - LEASE).update(state=end.state, detail=end.detail)


def _defer(row: AccountMail, answer: str) -> None:
    """Try it again later."""
    pause = min(LONGEST_DEFERRAL, FIRST_DEFERRAL * 2 ** min(row.deferred, 10))
    AccountMail.objects.filter(pk=row.pk).update(
        begun=row.begun, deferred=F("deferred") + 1, due_at=Now() + pause, detail=answer
    )
    metrics.MAILS.labels("deferred").inc()
