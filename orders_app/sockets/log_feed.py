"""The feed of a process: one thread reads the order log and delivers its messages to the sockets.

The thread runs while at least one socket is subscribed. It starts at the log's end and keeps its position in
memory; while the database is down it waits there.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import structlog
from django.db import connection
from django.utils import timezone

from foundation.heartbeat import Heartbeat
from foundation.lasting_trouble import LastingTrouble
from foundation.metrics import SOCKET_DELAY_SECONDS
from foundation.tracing import begin_span, ended, is_recorded
from orders_app import event_log
from orders_app.event_log import LoggedEvent, Position
from orders_app.event_log.wake_up import WakeUpListener
from orders_app.sockets.recent_orders import RecentOrders
from orders_app.sockets.socket_messages import SocketMessage, socket_messages

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5
BATCH_EVENTS = 500
STAFF = 0
"""The key of the recipients that receive messages about all orders; a customer's key is the user's id."""

Deliver = Callable[["LogReader", Sequence[SocketMessage]], Coroutine[Any, Any, None]]


class Recipient(Protocol):
    """A subscribed socket: a customer's receives messages about the user's orders, one of staff about all."""

    @property
    def user_id(self) -> int: ...
    @property
    def is_staff(self) -> bool: ...
    async def deliver(self, message: SocketMessage) -> None:
        """Send this message. Must not wait for the client: the other recipients would wait too."""


class LogFeed:
    """The subscribed sockets and the thread that reads for them; everything on the event loop's thread."""

    def __init__(self) -> None:
        self._recipients: defaultdict[int, set[Recipient]] = defaultdict(set)
        self._reader: LogReader | None = None

    async def join(self, recipient: Recipient) -> None:
        """Deliver to this socket the messages about events that are committed from now on.

        Raises a database error where the log's end cannot be read.
        """
        self._recipients[_key(recipient)].add(recipient)
        if self._reader is None:
            self._reader = LogReader(asyncio.get_running_loop(), self.has_recipients, self._deliver)
            self._reader.start()
        reader = self._reader
        try:
            await asyncio.shield(asyncio.wrap_future(reader.at_end))
        except Exception:
            if self._reader is reader:
                self._reader = None
            self.leave(recipient)
            raise

    def leave(self, recipient: Recipient) -> None:
        """Deliver no more to this socket, whether it had joined or not."""
        key = _key(recipient)
        self._recipients[key].discard(recipient)
        if not self._recipients[key]:
            del self._recipients[key]
        if self._reader and not self._recipients:
            self._reader.stop()
            self._reader = None

    def has_recipients(self, event: LoggedEvent) -> bool:
        """Whether a socket is to receive this event's message; may be called from any thread."""
        return STAFF in self._recipients or event.user_id in self._recipients

    async def _deliver(self, reader: "LogReader", messages: Sequence[SocketMessage]) -> None:
        for message in messages:
            if reader is not self._reader:
                return
            recipients = (*self._recipients.get(STAFF, ()), *self._recipients.get(message.user_id, ()))
            with _span_of(message, len(recipients)):
                for recipient in recipients:
                    await self._deliver_to(recipient, message)
            await asyncio.sleep(0)  # lets other tasks of the event loop run

    async def _deliver_to(self, recipient: Recipient, message: SocketMessage) -> None:
        try:
            await recipient.deliver(message)
        except Exception:
            log.exception("delivery to a socket failed, it gets no more", user=recipient.user_id)
            self.leave(recipient)


def _span_of(message: SocketMessage, recipients: int) -> AbstractContextManager[None]:
    """Records that a message is delivered, where its trace is recorded."""
    if not is_recorded(message.trace_parent):
        return nullcontext()
    attributes = {"sockets": recipients}
    return ended(begin_span("send socket message", message.trace_parent, "producer", attributes))


def _key(recipient: Recipient) -> int:
    return STAFF if recipient.is_staff else recipient.user_id


class LogReader(threading.Thread):
    """Reads the log from its end on until it is stopped, with a database connection of its own."""

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
        self._recent = RecentOrders()

    def stop(self) -> None:
        """Let the thread end after the batch in hand."""
        self._stopped.set()

    def run(self) -> None:
        """Read the position of the log's end, complete `at_end`, and deliver messages about later events.

        It beats as a worker of its own: a feed that is stuck leaves all sockets without messages.
        """
        heartbeat = Heartbeat("sockets-feed")
        try:
            position = event_log.end_position()
        except Exception as error:  # raised in `join`, which awaits `at_end`
            self.at_end.set_exception(error)
        else:
            self.at_end.set_result(None)
            self._read_on(position, heartbeat)
        finally:
            connection.close()
        heartbeat.end()

    def _read_on(self, position: Position, heartbeat: Heartbeat) -> None:
        wake_up = WakeUpListener()
        trouble = LastingTrouble(
            log, begins="messages are not delivered, trying again", ends="messages are delivered again"
        )
        last_size = BATCH_EVENTS
        while not self._stopped.is_set():
            heartbeat.beat()
            try:
                if last_size < BATCH_EVENTS:
                    wake_up.wait(after_events=last_size > 0)
                events = event_log.read_after(position, BATCH_EVENTS)
                self._deliver_all(events)
            except Exception as error:  # any: a thread that ends would leave all sockets without messages
                trouble.meet(error=repr(error))
                connection.close()
                self._stopped.wait(RETRY_SECONDS)
            else:
                trouble.end()
                position = events[-1].position if events else position
                last_size = len(events)

    def _deliver_all(self, events: Sequence[LoggedEvent]) -> None:
        """Deliver the messages about these events and wait for it, so that a busy loop slows reading down."""
        wanted = [event for event in events if self._is_wanted(event)]
        messages = socket_messages(wanted, self._recent)
        if messages:
            asyncio.run_coroutine_threadsafe(self._deliver(self, messages), self._loop).result()
            _observe_delay(wanted)


def _observe_delay(delivered: Sequence[LoggedEvent]) -> None:
    now = timezone.now()
    for event in delivered:
        SOCKET_DELAY_SECONDS.observe(max(0.0, (now - event.created_at).total_seconds()))


feed = LogFeed()
