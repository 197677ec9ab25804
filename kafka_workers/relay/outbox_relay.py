"""The outbox relay: publishes the messages of the order log's events, in the log's order, at least once.

It reads a batch of events after its position, sends all their messages, and stores the new position when the
broker has acknowledged every one. Until then it makes the messages of the next batch. When a relay dies in
between, its successor sends the batch again, with the same message ids. The key is the order id, so the
messages of an order stay in order.
"""

import threading
import time
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Protocol
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction

from foundation import metrics
from foundation.batch_lines import log_batch
from foundation.heartbeat import beat, tell_warm
from foundation.kill_points import kill_point
from foundation.outage import DependencyUnavailable, take_turns
from foundation.pacing import WORKER_PACING
from foundation.tracing import batch_span
from foundation.warming import warm_up
from foundation.work_report import tell_work
from kafka_workers.models import ParkedEvent
from kafka_workers.relay import parked_events
from kafka_workers.relay.batch import Batch, make_batch
from kafka_workers.relay.leadership import acquire_leadership, release_leadership
from kafka_workers.relay.parked_events import ParkReasons, Reason
from kafka_workers.runtime.exceptions import PublishFailed
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Meanwhile, Producer, nothing
from orders_app import event_log
from orders_app.event_log import RELAY_READER, LoggedEvent, Position
from orders_app.event_log.transactions import require_log_behind_server
from orders_app.event_log.wake_up import WakeUpListener

BATCH_EVENTS = 3000
STANDBY_SECONDS = 0.2
RETRY_CHECK_SECONDS = 1.0

log = structlog.get_logger(__name__)


def run(stop: threading.Event) -> None:
    """Relay until `stop` is set. Waits while PostgreSQL or Kafka is unavailable."""
    with Producer(RELAY_READER) as producer:
        warm_up(producer.connect)
        OutboxRelay(producer).run(stop)


class Publisher(Protocol):
    """The part of `runtime.producing.producer.Producer` that the relay uses."""

    def publish(self, messages: Sequence[OutgoingMessage], meanwhile: Meanwhile) -> None:
        """Send messages, call `meanwhile`, and wait for every acknowledgement.

        Raises BrokerUnavailable or PublishFailed.
        """


class OutboxRelay:
    """Publishes while it is the leader, stands by while another relay is."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._is_leader = False
        self._last_size = BATCH_EVENTS
        self._wake_up = WakeUpListener()
        self._position = event_log.START
        self._ahead: Batch | None = None
        self._blocked: set[UUID] = set()
        self._next_retry_check = 0.0

    def run(self, stop: threading.Event) -> None:
        """Relay until `stop` is set, then finish the batch. Waits during an outage of a dependency."""
        try:
            take_turns(stop, self._take_turn)
        finally:
            self._resign()

    def _take_turn(self) -> float:
        """Relay the next batch or try to become the leader; how many seconds to wait afterwards."""
        beat()
        try:
            pause = self._relay_next_batch() if self._is_leader or self._try_to_lead() else STANDBY_SECONDS
        except (OperationalError, InterfaceError) as error:
            self._resign()
            raise DependencyUnavailable("PostgreSQL", str(error)) from error
        tell_warm()
        return pause

    def _try_to_lead(self) -> bool:
        if acquire_leadership():
            require_log_behind_server()
            self._position = event_log.stored_position(RELAY_READER)
            self._blocked = parked_events.blocked_orders()
            _take_up_what_can_be_read()
            self._last_size = BATCH_EVENTS
            self._is_leader = True
            metrics.RELAY_LEADERS.set(1)
            log.info("the relay is the leader", tx=self._position.tx, id=self._position.id)
        return self._is_leader

    def _resign(self) -> None:
        self._is_leader = False
        metrics.RELAY_LEADERS.set(0)
        self._ahead = None
        release_leadership()

    def _relay_next_batch(self) -> float:
        if self._last_size < BATCH_EVENTS:
            self._wake_up.wait(after_events=self._last_size > 0)
        batch = self._ahead or self._read_after(self._position)
        self._last_size = len(batch.events)
        # If the batch fails, the events that were read ahead are read again.
        self._ahead = None
        if batch.events:
            with metrics.RELAY_BATCH_SECONDS.time():
                self._ahead = self._relay(batch)
            tell_work()
        if time.monotonic() >= self._next_retry_check:
            self._retry_parked()
            self._next_retry_check = time.monotonic() + RETRY_CHECK_SECONDS
        return 0 if self._last_size == BATCH_EVENTS else WORKER_PACING.pause_after(self._last_size)

    def _read_after(self, position: Position) -> Batch:
        return make_batch(event_log.read_after(position, BATCH_EVENTS))

    def _relay(self, batch: Batch) -> Batch | None:
        """Relay a batch; if it is full, return the next one, made while the broker stores the messages."""
        ahead: list[Batch] = []
        end = batch.events[-1].position

        def read_ahead() -> None:
            if len(batch.events) == BATCH_EVENTS:
                ahead.append(self._read_after(end))

        rows = self._publish(batch, self._blocked, read_ahead)
        kill_point("after-acknowledgement-before-position")
        # Without rows, storing the position is one statement: a transaction would take two more.
        with transaction.atomic() if rows else nullcontext():
            parked_events.park(rows)
            event_log.store_position(RELAY_READER, end)
        self._position = end
        self._blocked.update(row.order_id for row in rows)
        metrics.RELAY_BATCH_EVENTS.observe(len(batch.events))
        return ahead[0] if ahead else None

    def _retry_parked(self) -> None:
        events = parked_events.events_to_retry() if self._blocked else []
        if not events:
            return
        orders = {event.order_id for event in events}
        rows = self._publish(make_batch(events), self._blocked - orders)
        parked_events.finish_retry(orders, rows)
        self._blocked = self._blocked - orders | {row.order_id for row in rows}

    def _publish(
        self, batch: Batch, blocked: Collection[UUID], meanwhile: Meanwhile = nothing
    ) -> list[ParkedEvent]:
        """Send the messages of these events; the rows of those that must be parked."""
        events = batch.events
        reasons = parked_events.include_followers(events, batch.unroutable, blocked)
        outgoing = (
            [each for each in batch.messages if each[0].id not in reasons] if reasons else batch.messages
        )
        kill_point("after-commit-before-produce")
        try:
            with batch_span("relay events", (event.trace_parent for event in events), size=len(events)):
                self._publisher.publish([message for _, message in outgoing], meanwhile)
        except PublishFailed as failure:
            rejected = {
                outgoing[each.index][0].id: (Reason.REJECTED, each.reason) for each in failure.rejected
            }
            reasons = parked_events.include_followers(events, {**batch.unroutable, **rejected}, blocked)
        _report(events, reasons)
        return parked_events.parked_rows(events, reasons)


def _take_up_what_can_be_read() -> None:
    """Request a retry of parked events that an older relay could not read and this one can."""
    batch = make_batch(parked_events.unreadable_events())
    orders = {event.order_id for event in batch.events if event.id not in batch.unroutable}
    if orders:
        events = parked_events.request_retry(orders)
        log.info("parked events can be read by now: they are sent", orders=len(orders), events=events)


def _report(events: Sequence[LoggedEvent], reasons: ParkReasons) -> None:
    sent = [event for event in events if event.id not in reasons] if reasons else events
    for event_type, number in Counter(event.type for event in sent).items():
        metrics.RELAY_EVENTS.labels(event_type).inc(number)
    # Ids as they are: JSON encodes them quicker than `str`.
    listed: dict[str, list[object]] = {
        "order": [event.order_id for event in sent],
        "type": [event.type for event in sent],
        "user": [str(event.user_id) for event in sent],
        "trace_parent": [event.trace_parent for event in sent],
    }
    log_batch(log, "events sent", listed)
    for event in events if reasons else ():
        if found := reasons.get(event.id):
            reason, detail = found
            metrics.RELAY_PARKED.labels(reason).inc()
            log.error("event parked", event_id=event.event_id, type=event.type, reason=reason, detail=detail)
