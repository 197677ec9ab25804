"""The feed of a process: one thread reads the orders' log on, and every socket concerned hears of it.

The thread lives while somebody listens. It starts at the log's end and keeps its position in memory; with the
database down it waits there.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import structlog
from django.db import connection

from foundation.doorbell import BellListener
from orders_app import event_log, log_bell
from orders_app.event_log import LoggedEvent, Position
from orders_app.sockets.announcements import Announcement, announce

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.02
RETRY_SECONDS = 0.5
BATCH_EVENTS = 500
STAFF = 0
"""The room of those who hear of all orders; a customer's room has the number of the user."""

Deliver = Callable[["LogReader", Sequence[Announcement]], Coroutine[Any, Any, None]]


class Listener(Protocol):
    """A socket that listens: a customer's to the orders of one user, one of the staff's to all."""

    @property
    def user_id(self) -> int: ...
    @property
    def is_staff(self) -> bool: ...
    async def hear(self, announcement: Announcement) -> None:
        """Send this on. Must not wait for the client: the next listener's turn comes after it."""


class LogFeed:
    """Who listens, and the reader that serves them; all on the event loop's thread."""

    def __init__(self) -> None:
        self._rooms: defaultdict[int, set[Listener]] = defaultdict(set)
        self._reader: LogReader | None = None

    async def join(self, listener: Listener) -> None:
        """Let this socket hear all that commits from now on.

        Raises a database error where the log's end cannot be read.
        """
        self._rooms[_room(listener)].add(listener)
        if self._reader is None:
            self._reader = LogReader(asyncio.get_running_loop(), self.concerns_anybody, self._deliver)
            self._reader.start()
        reader = self._reader
        try:
            await asyncio.shield(asyncio.wrap_future(reader.at_end))
        except Exception:
            if self._reader is reader:
                self._reader = None
            self.leave(listener)
            raise

    def leave(self, listener: Listener) -> None:
        """Let this socket, which may have joined, hear no more."""
        room = _room(listener)
        self._rooms[room].discard(listener)
        if not self._rooms[room]:
            del self._rooms[room]
        if self._reader and not self._rooms:
            self._reader.stop()
            self._reader = None

    def concerns_anybody(self, event: LoggedEvent) -> bool:
        """Whether a socket listens to this event's order; may be asked from any thread."""
        return STAFF in self._rooms or event.user_id in self._rooms

    async def _deliver(self, reader: "LogReader", announcements: Sequence[Announcement]) -> None:
        for announcement in announcements:
            if reader is not self._reader:
                return
            for listener in (*self._rooms.get(STAFF, ()), *self._rooms.get(announcement.user_id, ())):
                await self._tell(listener, announcement)
            await asyncio.sleep(0)  # other work of the loop comes in between

    async def _tell(self, listener: Listener, announcement: Announcement) -> None:
        try:
            await listener.hear(announcement)
        except Exception:
            log.exception("socket fails and hears no more", user=listener.user_id)
            self.leave(listener)


def _room(listener: Listener) -> int:
    return STAFF if listener.is_staff else listener.user_id


class LogReader(threading.Thread):
    """Reads the log on from its end until it is stopped, with a database connection of its own."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        is_wanted: Callable[[LoggedEvent], bool],
        deliver: Deliver,
    ) -> None:
        super().__init__(name="log-feed", daemon=True)
        self.at_end: Future[None] = Future()
        self._loop = loop
        self._is_wanted = is_wanted
        self._deliver = deliver
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let the thread end after the batch in hand."""
        self._stopped.set()

    def run(self) -> None:
        """Fix the position, which `at_end` tells, and pass on what comes after it."""
        try:
            position = event_log.end_position()
        except Exception as error:  # whoever waits for `at_end` gets it
            self.at_end.set_exception(error)
        else:
            self.at_end.set_result(None)
            with log_bell.listen() as bell:
                self._read_on(position, bell)
        finally:
            connection.close()

    def _read_on(self, position: Position, bell: BellListener) -> None:
        is_behind = True
        while not self._stopped.is_set():
            if not is_behind:
                bell.wait(LOOK_SECONDS)
            try:
                events = event_log.read_after(position, BATCH_EVENTS)
                self._pass_on(events)
            except Exception as error:  # whatever it is, a feed that ends would leave all sockets deaf
                log.warning("orders are not told, trying again", error=repr(error))
                connection.close()
                self._stopped.wait(RETRY_SECONDS)
            else:
                position = events[-1].position if events else position
                is_behind = len(events) == BATCH_EVENTS

    def _pass_on(self, events: Sequence[LoggedEvent]) -> None:
        """Tell everybody concerned, and wait for it: a busy event loop slows the reading down."""
        announcements = announce([event for event in events if self._is_wanted(event)])
        if announcements:
            asyncio.run_coroutine_threadsafe(self._deliver(self, announcements), self._loop).result()


feed = LogFeed()
