"""The mail server of EMAIL_URL: one connection, kept open from mail to mail, and what its answers mean."""

import re
import secrets
import smtplib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email.generator import BytesGenerator
from io import BytesIO
from typing import NoReturn

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

from foundation.heartbeat import beat
from foundation.metrics import MAIL_SECONDS
from foundation.outage import DependencyUnavailable, NotNow
from foundation.printable import printable, shortened
from orders_app.mail.dialogue import CLOSING, OK, begin_dialogue, envelope, last_reply, say

TRUSTED_SECONDS = 5.0
"""A connection that was used more recently is not asked whether it still works."""
DEFERRED_FOR = timedelta(days=2)
"""For so long a mail is tried that the server does not take now: greylisting and full mailboxes last."""

TEMPORARY, PERMANENT = 4, 5
LONGEST_LINE = 998
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
"""A line with a dot alone would end the mail, so that each leading dot is sent twice."""


class MailServerUnavailable(DependencyUnavailable):
    """The server is away, or takes no mail of ours at all.

    `may_have_sent`: the connection ended between the last line of the mail and the answer to it.
    """

    def __init__(self, detail: str, *, may_have_sent: bool = False) -> None:
        super().__init__("the mail server", detail)
        self.may_have_sent = may_have_sent


class MailNotTaken(Exception):
    """The server answers that it does not take this mail; `answer` is its code and text."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"the mail server does not take the mail: {answer}")
        self.answer = answer


class MailDeferred(MailNotTaken, NotNow):
    """The server does not take this mail now (4xx): it must be tried again later."""

    patience = DEFERRED_FOR


class MailRefused(MailNotTaken):
    """The server never takes this mail (5xx)."""


def _nothing() -> None:
    """What is called where a caller has nothing to do."""


class MailServer:
    """One connection; for one thread. Without SMTP (a console, a folder) mails go to Django's backend."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._used_at = 0.0
        self._next_at = 0.0

    def connect(self, before_waiting: Callable[[], None] = _nothing) -> None:
        """Open the connection, unless it is open and works. Raises MailServerUnavailable.

        `before_waiting` is called first where that takes long, and may raise.
        """
        is_trusted = bool(self._backend) and time.monotonic() - self._used_at < TRUSTED_SECONDS
        if not is_trusted:
            before_waiting()
        if self._backend and not is_trusted and not self._answers():
            self._drop()
        try:
            if not self._backend:
                self._backend = get_connection()
            if self._backend.open() and isinstance(self._backend, EmailBackend):
                begin_dialogue(self._backend.connection)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailServerUnavailable(_words_of(error)) from error
        self._used_at = time.monotonic()

    def send(
        self,
        mail: EmailMultiAlternatives,
        data: bytes | None = None,
        *,
        before_waiting: Callable[[], None] = _nothing,
        before_last_line: Callable[[], None] = _nothing,
        meanwhile: Callable[[], None] = _nothing,
    ) -> None:
        """Send a mail to its one recipient; no faster than MAIL_RATE.

        `data` is what `as_sent` gives for it, if that is known. `before_waiting` is called before this waits
        for longer than a moment; `before_last_line` once the server has all of the mail but its last line, so
        that it may take it from then on; `meanwhile` while the server is at work: that raises nothing. What
        the first two raise ends the mail, which was not sent then.
        Raises MailServerUnavailable, MailDeferred and MailRefused; the connection can be used after the last
        two.
        """
        self.connect(before_waiting)
        self._await_turn(before_waiting)
        if not isinstance(self._backend, EmailBackend):
            assert self._backend
            before_last_line()
            self._backend.send_messages([mail])
            return
        assert self._backend.connection, "connect has opened it"
        smtp, content = self._backend.connection, data or as_sent(mail)
        with MAIL_SECONDS.time():
            try:
                self._say_envelope(smtp, mail, content, before_waiting, meanwhile)
                self._transmit(smtp, content)
                before_last_line()
            except MailNotTaken:
                raise
            except BaseException:
                # A server drops a mail that has no end.
                self._drop()
                raise
            self._end(smtp)
        self._used_at = time.monotonic()

    def close(self) -> None:
        """Take leave of the server."""
        if self._backend:
            with suppress(OSError, smtplib.SMTPException):
                self._backend.close()
        self._drop()

    def _drop(self) -> None:
        """Close the connection without a word: the server may be away."""
        backend, self._backend = self._backend, None
        if isinstance(backend, EmailBackend):
            if backend.connection:
                backend.connection.close()
            with suppress(OSError, smtplib.SMTPException):
                backend.close()

    def _answers(self) -> bool:
        if not isinstance(self._backend, EmailBackend) or self._backend.connection is None:
            return True
        with suppress(OSError, smtplib.SMTPException):
            return bool(self._backend.connection.noop()[0] == OK)
        return False

    def _await_turn(self, before_waiting: Callable[[], None]) -> None:
        rate = settings.MAIL_RATE
        if rate is None:
            return
        before_waiting()
        while (left := self._next_at - time.monotonic()) > 0:
            beat()
            time.sleep(min(left, 1.0))
        self._next_at = time.monotonic() + rate.seconds / rate.limit

    def _say_envelope(
        self,
        smtp: smtplib.SMTP,
        mail: EmailMultiAlternatives,
        content: bytes,
        before_waiting: Callable[[], None],
        meanwhile: Callable[[], None],
    ) -> None:
        """Tell the server from whom and to whom the mail is, until it asks for its content."""
        encoding = mail.encoding or settings.DEFAULT_CHARSET
        sender = sanitize_address(mail.from_email, encoding)
        [recipient] = (sanitize_address(each, encoding) for each in mail.recipients())
        try:
            smtp.ehlo_or_helo_if_needed()
            options = "" if content.isascii() or not smtp.has_extn("8bitmime") else " BODY=8BITMIME"
            commands = envelope(sender, recipient, options)
            refusal = say(smtp, commands, before_waiting=before_waiting, meanwhile=meanwhile)
            if refusal and refusal.command is commands[0]:
                # The sender is the same for all mails: it is not this one that the server does not take.
                raise smtplib.SMTPSenderRefused(refusal.code, refusal.reply, sender)
        except (OSError, smtplib.SMTPException) as error:
            raise MailServerUnavailable(_words_of(error)) from error
        if refusal:
            self._raise_for(smtp, refusal.code, refusal.reply)

    def _transmit(self, smtp: smtplib.SMTP, content: bytes) -> None:
        """Send all of the mail but the line that ends it."""
        try:
            smtp.send(_LEADING_DOT.sub(b"..", content).removesuffix(b"\r\n") + b"\r\n")
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            # It took the recipient: where it answers a new connection, it is this mail that it does not like.
            self.connect()
            raise MailDeferred(f"the connection ended within the mail: {_words_of(error)}") from error

    def _end(self, smtp: smtplib.SMTP) -> None:
        """Send the line that ends the mail, and await what becomes of it."""
        try:
            smtp.send(b".\r\n")
            code, reply = last_reply(smtp)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailServerUnavailable(_words_of(error), may_have_sent=True) from error
        if code != OK:
            self._raise_for(smtp, code, reply)

    def _raise_for(self, smtp: smtplib.SMTP, code: int, reply: bytes) -> NoReturn:
        """Raise what this answer means."""
        answer = _answer(code, reply)
        if code == CLOSING or code // 100 not in (TEMPORARY, PERMANENT):
            self._drop()
            raise MailServerUnavailable(answer)
        with suppress(OSError, smtplib.SMTPException):
            smtp.rset()
        raise MailDeferred(answer) if code // 100 == TEMPORARY else MailRefused(answer)


def as_sent(mail: EmailMultiAlternatives) -> bytes:
    """The mail as it travels. Its headers stay on one line each: not every program reads folded ones well."""
    message, data = mail.message(), BytesIO()
    if message.is_multipart():
        # The generator would compile a pattern to see that a boundary of its own is not in the text.
        message.set_boundary(f"=={secrets.token_hex(16)}==")
    BytesGenerator(data, mangle_from_=False, maxheaderlen=LONGEST_LINE).flatten(message, linesep="\r\n")
    return data.getvalue()


def _words_of(error: Exception) -> str:
    """What went wrong, without the password that an error may repeat."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return "it does not accept the user and password of EMAIL_URL"
        case smtplib.SMTPSenderRefused():
            answer = _answer(error.smtp_code, error.smtp_error)
            return f"it takes no mail from {error.sender} (MAIL_FROM): {answer}"
        case smtplib.SMTPResponseException():
            return _answer(error.smtp_code, error.smtp_error)
        case _:
            return shortened(printable(str(error) or type(error).__name__), 300)


def _answer(code: int, reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return shortened(printable(" ".join(f"{code} {text}".split())), 300)
