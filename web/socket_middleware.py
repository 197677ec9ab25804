"""What every socket passes first: the check of the page it comes from, and the figures."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import ParseResult

from autobahn.exception import Disconnected
from channels.security.websocket import OriginValidator

from foundation.metrics import SOCKET_MESSAGES_SENT, SOCKETS_CONNECTED

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


def observe_sockets(application: Application) -> Application:
    """ASGI middleware: count connections that are open, and messages sent over them.

    A message to a client that has just gone is dropped, as ASGI wants it; daphne would raise.
    """

    async def observed(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        opened = 0

        async def observed_send(message: Message) -> None:
            nonlocal opened
            with suppress(Disconnected):
                await send(message)
            if message["type"] == "websocket.send":
                SOCKET_MESSAGES_SENT.inc()
            elif message["type"] == "websocket.accept":
                SOCKETS_CONNECTED.inc()
                opened = 1

        try:
            await application(scope, receive, observed_send)
        finally:
            SOCKETS_CONNECTED.dec(opened)

    return observed


class OriginCheck(OriginValidator):  # type: ignore[misc]  # channels has no types
    """Lets in browsers whose page is one of ours, and clients that are no browsers: they send no Origin."""

    def valid_origin(self, parsed_origin: ParseResult | None) -> bool:
        """Whether a handshake from a page of this origin may go on."""
        return parsed_origin is None or bool(self.validate_origin(parsed_origin))
