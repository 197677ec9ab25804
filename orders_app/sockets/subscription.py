"""The subscription of one socket: the messages that it missed, then new ones, each once and in order."""

from collections.abc import Awaitable, Callable

from channels.db import database_sync_to_async

from orders_app.event_log import START
from orders_app.sockets.log_feed import feed
from orders_app.sockets.replay import CannotReplay, missed
from orders_app.sockets.socket_messages import RESYNC, SocketMessage

SUBSCRIBED = '{"type":"subscribed:orders"}'


class Subscription:
    """Sends a customer the messages about their orders, staff those about all, through `send`."""

    __slots__ = ("_last_sent", "_send", "_waiting", "is_staff", "user_id")

    def __init__(self, user_id: int, is_staff: bool, send: Callable[[str], Awaitable[None]]) -> None:
        self.user_id = user_id
        self.is_staff = is_staff
        self._send = send
        self._last_sent = START
        # New messages wait here until the missed ones are sent; None from then on.
        self._waiting: list[SocketMessage] | None = []

    async def start(self, last_event_id: str | None) -> None:
        """Confirm, send the messages about events after the last one that the client has seen, then new ones.

        Raises a database error where the log cannot be read.
        """
        await feed.join(self)
        await self._send(SUBSCRIBED)
        if last_event_id is not None:
            await self._send_missed(last_event_id)
        await self._send_waiting()

    def end(self) -> None:
        """Receive no further messages."""
        feed.leave(self)

    async def deliver(self, message: SocketMessage) -> None:
        """Send a message of the feed, after the missed ones."""
        if self._waiting is None:
            await self._send_once(message)
        else:
            self._waiting.append(message)

    async def _send_missed(self, last_event_id: str) -> None:
        try:
            messages = await database_sync_to_async(missed)(last_event_id, self.user_id, self.is_staff)
        except CannotReplay:
            await self._send(RESYNC)
        else:
            for message in messages:
                await self._send_once(message)

    async def _send_waiting(self) -> None:
        while self._waiting:
            await self._send_once(self._waiting.pop(0))
        self._waiting = None

    async def _send_once(self, message: SocketMessage) -> None:
        """Send a message unless the replay has sent it already."""
        if message.position > self._last_sent:
            self._last_sent = message.position
            await self._send(message.text)
