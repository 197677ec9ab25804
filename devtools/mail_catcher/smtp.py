"""The SMTP side: takes mails from any sender for any recipient."""

import asyncio
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from devtools.mail_catcher.letter import readable
from devtools.mail_catcher.mails import Mails
from devtools.mail_catcher.recipients import Refusals

_LARGEST_MAIL = 10_000_000
_MOST_RECIPIENTS = 100
_TAKEN = "250 OK"


async def listen(mails: Mails, host: str, port: int) -> asyncio.Server:
    """Take mails at this address. Raises OSError where it is in use."""
    loop, taking = asyncio.get_running_loop(), _Taking(mails)

    def connection() -> SMTP:
        return SMTP(
            taking,
            data_size_limit=_LARGEST_MAIL,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Stockbridge mail catcher",
            loop=loop,
        )

    return await loop.create_server(connection, host, port)


class _Taking:
    """What aiosmtpd asks, for all connections."""

    def __init__(self, mails: Mails) -> None:
        self._mails, self._refusals = mails, Refusals()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it by the command's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Tell that commands may come without waiting for answers: they are read from a stream."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[Any]
    ) -> str:
        """Take or refuse a recipient."""
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if refusal := self._refusals.due(address, after_content=False):
            return f"{refusal.code} This recipient is refused on purpose"
        envelope.rcpt_tos.append(address)
        return _TAKEN

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail, then answer."""
        due = [self._refusals.due(address, after_content=True) for address in envelope.rcpt_tos]
        if codes := [refusal.code for refusal in due if refusal and refusal.code]:
            return f"{codes[0]} This mail is refused on purpose"
        await asyncio.to_thread(
            self._mails.add,
            sender=readable(envelope.mail_from or ""),
            recipients=[readable(address) for address in envelope.rcpt_tos],
            content=envelope.original_content or b"",
        )
        if any(due) and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]  # every transport of asyncio has it
        return _TAKEN
