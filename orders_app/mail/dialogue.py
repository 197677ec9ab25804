"""What is said to a mail server, command by command, and how its answers are awaited."""

import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from foundation.heartbeat import beat

LAST_REPLY_SECONDS = 60.0
"""How long the server may take to answer a whole mail. Giving up sooner sends a mail twice (RFC 5321)."""
SOON_SECONDS = 0.02
"""An answer that takes longer is waited for."""

OK, FORWARDED, START_DATA, CLOSING = 250, 251, 354, 421
PIPELINING = "pipelining"


class Answers:
    """What a server answers, in place of the file from which smtplib reads: this tells whether it has."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._read = b""

    def readline(self, limit: int) -> bytes:
        """The next line, or its first `limit` bytes; what is left when the server has ended.

        Raises OSError.
        """
        while b"\n" not in self._read and len(self._read) < limit and (more := self._sock.recv(4096)):
            self._read += more
        end = min(limit, self._read.find(b"\n") + 1 or len(self._read))
        line, self._read = self._read[:end], self._read[end:]
        return line

    def close(self) -> None:
        """The socket is closed by smtplib."""

    def has_arrived(self, seconds: float) -> bool:
        """Whether there is something to read; waits so long for it."""
        is_decrypted = isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0
        return bool(self._read) or is_decrypted or bool(select.select([self._sock], [], [], seconds)[0])


class Command(NamedTuple):
    """A command, and the codes of the answers with which the next one may follow."""

    text: str
    awaited: Collection[int]


class Refusal(NamedTuple):
    """The first answer that was none of those awaited."""

    command: Command
    code: int
    reply: bytes


def envelope(sender: str, recipient: str, options: str) -> Sequence[Command]:
    """The commands that tell from whom and to whom a mail is, and that its content follows."""
    return (
        Command(f"MAIL FROM:{smtplib.quoteaddr(sender)}{options}", (OK,)),
        Command(f"RCPT TO:{smtplib.quoteaddr(recipient)}", (OK, FORWARDED)),
        Command("DATA", (START_DATA,)),
    )


def say(
    smtp: smtplib.SMTP,
    commands: Sequence[Command],
    *,
    before_waiting: Callable[[], None],
    meanwhile: Callable[[], None],
) -> Refusal | None:
    """Say the commands, DATA last; the refusal where one is not taken.

    All are sent at once where the server offers that (PIPELINING, RFC 2920), otherwise each when the one
    before is taken. `before_waiting` is called where an answer takes longer than a moment, `meanwhile` once
    while the server is at work. Raises SMTPException, OSError, and what these two raise.
    """
    at_once = smtp.has_extn(PIPELINING)
    _send(smtp, commands if at_once else commands[:1])
    meanwhile()
    refusal = None
    for index, command in enumerate(commands):
        if index and not at_once:
            _send(smtp, [command])
        code, reply = _reply(smtp, before_waiting)
        if code not in command.awaited:
            refusal = refusal or Refusal(command, code, reply)
            if not at_once or code == CLOSING:
                break
        elif refusal and code == START_DATA:
            # It takes nobody, and awaits a mail all the same.
            smtp.send(b".\r\n")
            smtp.getreply()
    return refusal


def last_reply(smtp: smtplib.SMTP) -> tuple[int, bytes]:
    """The answer to a whole mail. Raises TimeoutError after LAST_REPLY_SECONDS."""
    end = time.monotonic() + LAST_REPLY_SECONDS
    while not has_arrived(smtp, 1.0):
        beat()
        if time.monotonic() > end:
            raise TimeoutError(f"it has not answered a mail within {LAST_REPLY_SECONDS:.0f} s")
    return smtp.getreply()


def begin_dialogue(smtp: smtplib.SMTP | None) -> None:
    """Prepare a connection that was just opened; its greeting, encryption and password are done."""
    if smtp and smtp.sock:
        # TCP sends the last line of a mail though the server has not acknowledged the lines before it.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.file = Answers(smtp.sock)


def has_arrived(smtp: smtplib.SMTP, seconds: float) -> bool:
    """Whether something of an answer is there; waits so long for it."""
    assert isinstance(smtp.file, Answers), "begin_dialogue has made it"
    return smtp.file.has_arrived(seconds)


def _send(smtp: smtplib.SMTP, commands: Sequence[Command]) -> None:
    lines = [command.text for command in commands]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a command must be one line")
    smtp.send("".join(f"{line}\r\n" for line in lines))


def _reply(smtp: smtplib.SMTP, before_waiting: Callable[[], None]) -> tuple[int, bytes]:
    """The answer to the next command that has none yet."""
    if not has_arrived(smtp, SOON_SECONDS):
        before_waiting()
    return smtp.getreply()
