"""The mail server of EMAIL_URL: one connection, kept open from mail to mail, and what its answers mean."""

import re
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from email.generator import BytesGenerator
from io import BytesIO
from typing import NoReturn

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

from foundation.heartbeat import beat
from foundation.outage import DependencyUnavailable
from foundation.printable import printable, shortened

TRUSTED_SECONDS = 5.0
"""A connection that was used more recently is not asked whether it still works."""
LAST_REPLY_SECONDS = 60.0
"""How long the server may take to answer a whole mail. Giving up sooner sends a mail twice (RFC 5321)."""

OK, FORWARDED, START_DATA, CLOSING = 250, 251, 354, 421
TEMPORARY, PERMANENT = 4, 5
LONGEST_LINE = 998
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
"""A line with a dot alone would end the mail, so that each leading dot is sent twice."""


class MailServerUnavailable(DependencyUnavailable):
    """The server is away, or takes no mail of ours at all.

    `may_have_sent`: the connection ended between the mail and the answer to it.
    """

    def __init__(self, detail: str, *, may_have_sent: bool = False) -> None:
        super().__init__("the mail server", detail)
        self.may_have_sent = may_have_sent


class MailNotTaken(Exception):
    """The server answers that it does not take this mail; `answer` is its code and text."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"the mail server does not take the mail: {answer}")
        self.answer = answer


class MailDeferred(MailNotTaken):
    """The server does not take this mail now (4xx): it must be tried again later."""


class MailRefused(MailNotTaken):
    """The server never takes this mail (5xx)."""


class MailServer:
    """One connection; for one thread. Without SMTP (a console, a folder) mails go to Django's backend."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._used_at = 0.0
        self._next_at = 0.0

    def connect(self) -> None:
        """Open the connection, unless it is open and works. Raises MailServerUnavailable."""
        if self._backend and time.monotonic() - self._used_at > TRUSTED_SECONDS and not self._answers():
            self._drop()
        try:
            if not self._backend:
                self._backend = get_connection()
            self._backend.open()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailServerUnavailable(_words_of(error)) from error
        self._used_at = time.monotonic()

    def send(
        self,
        mail: EmailMultiAlternatives,
        data: bytes | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Send a mail to its one recipient; no faster than MAIL_RATE.

        `data` is what `as_sent` gives for it, if that is known. `meanwhile` is called while the server takes
        the mail; it raises nothing.
        Raises MailServerUnavailable, MailDeferred and MailRefused; the connection can be used after the last
        two.
        """
        self.connect()
        self._await_turn()
        if not isinstance(self._backend, EmailBackend):
            assert self._backend
            self._backend.send_messages([mail])
            return
        assert self._backend.connection, "connect has opened it"
        encoding = mail.encoding or settings.DEFAULT_CHARSET
        [recipient] = mail.recipients()
        self._transmit(
            self._backend.connection,
            sanitize_address(mail.from_email, encoding),
            sanitize_address(recipient, encoding),
            data or as_sent(mail),
            meanwhile,
        )
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

    def _await_turn(self) -> None:
        rate = settings.MAIL_RATE
        if rate is None:
            return
        while (left := self._next_at - time.monotonic()) > 0:
            beat()
            time.sleep(min(left, 1.0))
        self._next_at = time.monotonic() + rate.seconds / rate.limit

    def _transmit(
        self, smtp: smtplib.SMTP, sender: str, recipient: str, data: bytes, meanwhile: Callable[[], None]
    ) -> None:
        try:
            self._begin_mail(smtp, sender, recipient, is_ascii=data.isascii())
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailServerUnavailable(_words_of(error)) from error
        try:
            smtp.send(_LEADING_DOT.sub(b"..", data).removesuffix(b"\r\n") + b"\r\n.\r\n")
            meanwhile()
            code, reply = _last_reply(smtp)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailServerUnavailable(_words_of(error), may_have_sent=True) from error
        if code != OK:
            self._raise_for(smtp, code, reply)

    def _begin_mail(self, smtp: smtplib.SMTP, sender: str, recipient: str, *, is_ascii: bool) -> None:
        smtp.ehlo_or_helo_if_needed()
        options = [] if is_ascii or not smtp.has_extn("8bitmime") else ["BODY=8BITMIME"]
        code, reply = smtp.mail(sender, options)
        if code != OK:
            # The sender is the same for all mails: it is not this one that the server does not take.
            raise smtplib.SMTPSenderRefused(code, reply, sender)
        code, reply = smtp.rcpt(recipient)
        if code not in (OK, FORWARDED):
            self._raise_for(smtp, code, reply)
        code, reply = smtp.docmd("DATA")
        if code != START_DATA:
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
    data = BytesIO()
    BytesGenerator(data, mangle_from_=False, maxheaderlen=LONGEST_LINE).flatten(
        mail.message(), linesep="\r\n"
    )
    return data.getvalue()


def _last_reply(smtp: smtplib.SMTP) -> tuple[int, bytes]:
    """The answer to a whole mail. Raises TimeoutError after LAST_REPLY_SECONDS."""
    assert smtp.sock
    end = time.monotonic() + LAST_REPLY_SECONDS
    while not _has_arrived(smtp.sock):
        beat()
        if time.monotonic() > end:
            raise TimeoutError(f"it has not answered a mail within {LAST_REPLY_SECONDS:.0f} s")
    return smtp.getreply()


def _has_arrived(sock: socket.socket) -> bool:
    """Whether there is something to read; waits a second for it."""
    is_decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
    return is_decrypted or bool(select.select([sock], [], [], 1.0)[0])


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
