"""One socket's share of the feed: what it missed, then what happens, each version once and in order."""

from collections.abc import Awaitable, Callable

from channels.db import database_sync_to_async

from orders_app.event_log import START
from orders_app.sockets.announcements import Announcement
from orders_app.sockets.log_feed import feed
from orders_app.sockets.replay import CannotReplay, missed

SUBSCRIBED = '{"type":"subscribed:orders"}'
RESYNC = '{"type":"resync"}'


class Subscription:
    """Sends a customer the messages about their orders, staff those about all, through `send`."""

    __slots__ = ("_held_back", "_last_told", "_send", "is_staff", "user_id")

    def __init__(self, user_id: int, is_staff: bool, send: Callable[[str], Awaitable[None]]) -> None:
        self.user_id = user_id
        self.is_staff = is_staff
        self._send = send
        self._last_told = START
        # Live announcements wait here until the missed ones are sent; None from then on.
        self._held_back: list[Announcement] | None = []

    async def start(self, last_event_id: str | None) -> None:
        """Confirm, send what came after the last event that the client has seen, and go live.

        Raises a database error where the log cannot be read.
        """
        await feed.join(self)
        await self._send(SUBSCRIBED)
        if last_event_id is not None:
            await self._send_missed(last_event_id)
        await self._go_live()

    def end(self) -> None:
        """Hear no more."""
        feed.leave(self)

    async def hear(self, announcement: Announcement) -> None:
        """Pass an announcement of the feed on, in its turn."""
        if self._held_back is None:
            await self._tell(announcement)
        else:
            self._held_back.append(announcement)

    async def _send_missed(self, last_event_id: str) -> None:
        try:
            announcements = await database_sync_to_async(missed)(last_event_id, self.user_id, self.is_staff)
        except CannotReplay:
            await self._send(RESYNC)
        else:
            for announcement in announcements:
                await self._tell(announcement)

    async def _go_live(self) -> None:
        while self._held_back:
            await self._tell(self._held_back.pop(0))
        self._held_back = None

    async def _tell(self, announcement: Announcement) -> None:
        """Send what the replay has not sent already; the log's order is the order of an order's versions."""
        if announcement.position > self._last_told:
            self._last_told = announcement.position
            await self._send(announcement.text)
