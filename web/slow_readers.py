"""Clients that do not read what they are sent: what waits for them is bounded, in time and in bytes."""

import structlog
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import reactor
from twisted.internet.base import DelayedCall

MOST_WAITING_BYTES = 8 * 1024 * 1024

log = structlog.get_logger(__name__)


class SlowReaderProtocol(WebSocketProtocol):  # type: ignore[misc]  # daphne has no types
    """Drops a client that takes SOCKET_SLOW_SECONDS to read what waits for it, or lets too much wait.

    No close frame is sent, as it would have to wait too. Twisted says when more than 64 KiB wait, and when
    none do any more.
    """

    _stall: DelayedCall | None = None
    _waiting_bytes = 0

    def onOpen(self) -> None:  # noqa: N802 - autobahn's name
        """Ask the transport to tell of what waits, which so far it tells the HTTP channel."""
        super().onOpen()
        self.unregisterProducer()
        self.registerProducer(self, streaming=True)

    def pauseProducing(self) -> None:  # noqa: N802 - twisted's name
        """The client reads slower than it is sent to; said again with every message as long as that is so."""
        if self._stall:
            return
        self._waiting_bytes = 0
        self._stall = reactor.callLater(settings.SOCKET_SLOW_SECONDS, self._drop)  # type: ignore[arg-type]

    def resumeProducing(self) -> None:  # noqa: N802 - twisted's name
        """The client has caught up."""
        if self._stall:
            self._stall.cancel()
            self._stall = None

    def stopProducing(self) -> None:  # noqa: N802 - twisted's name
        """The connection is gone."""
        self.resumeProducing()

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802 - daphne's name
        """Send, and count what is sent to a client that does not read."""
        super().serverSend(content, binary)
        if self._stall:
            self._waiting_bytes += len(content)
            if self._waiting_bytes > MOST_WAITING_BYTES:
                self.resumeProducing()
                self._drop()

    def _drop(self) -> None:
        self._stall = None
        log.info("socket dropped: its client does not read")
        self.dropConnection(abort=True)
