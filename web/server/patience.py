"""The time of a connection: for how long it waits for its client, and how it is closed."""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

from foundation.metrics import HTTP_CONNECTIONS_CLOSED
from web.server.limits import LINGER_BYTES, LINGER_SECONDS
from web.server.sending import Sender

if TYPE_CHECKING:
    from web.server.web_process import WebProcess

NEVER = float("inf")


class PatientConnection(asyncio.Protocol):
    """A connection that is closed when its client takes too long. All of it runs on the event loop."""

    def __init__(self, process: "WebProcess") -> None:
        self.process = process
        self.limits = process.limits
        self.address = ""
        self._deadline = NEVER
        # When the connection closes at the latest while it waits for its client: the server ends.
        self._end = NEVER
        # Whether what the client sends is no longer read, and whether it is only read away.
        self._deaf = self._lingers = False
        self._lingered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._sender = Sender(self._transport)

    def _wait(self, seconds: float) -> None:
        """From now on the connection waits for its client, and for so long."""
        self._since = monotonic()
        self._deadline = min(self._since + seconds, self._end)
        self.process.counted.wait(self)

    def check(self, now: float) -> None:
        """Close the connection if its client has taken too long; called twice a second."""
        if self._sender.is_read_too_slowly(now, self.limits.slow_seconds):
            HTTP_CONNECTIONS_CLOSED.labels("slow_reader").inc()
            self._transport.abort()
        elif now >= self._deadline:
            self._time_is_over()
        else:
            self._ask_in_time(now)

    def _ask_in_time(self, now: float) -> None:
        """The client has time left."""
        raise NotImplementedError

    def _time_is_over(self) -> None:
        """The client has taken too long."""
        raise NotImplementedError

    def _linger(self) -> None:
        """Close for writing and read on for a while: a client that still sends would lose the answer."""
        self._deaf = self._lingers = True
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._end = NEVER
        self._wait(LINGER_SECONDS)

    def give_way(self) -> None:
        """Close: another connection needs the place, and this one waits for its client."""
        HTTP_CONNECTIONS_CLOSED.labels("limit").inc()
        self._deaf = True
        self._transport.abort()

    def _read_away(self, data: bytes) -> None:
        self._lingered += len(data)
        if self._lingered > LINGER_BYTES:
            self._transport.abort()
