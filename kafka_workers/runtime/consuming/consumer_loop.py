"""The consumer loop: poll a batch, handle it, deliver the answers, commit the offsets; until asked to stop.

One thread does all of it. In a backlog it handles the next batch while the broker stores the answers of this
one; the next batch is answered and committed after this one.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog
from confluent_kafka import Message
from django.conf import settings
from structlog.contextvars import bound_contextvars

from foundation.heartbeat import tell_warm
from foundation.kill_points import kill_point
from foundation.metrics import (
    CONSUMER_BATCH_MESSAGES,
    CONSUMER_BATCH_SECONDS,
    CONSUMER_WAITING,
    begin_group_at_0,
)
from foundation.outage import DependencyUnavailable, Outage
from foundation.warming import warm_up
from foundation.work_report import tell_work
from kafka_workers.runtime.broker.client_config import BrokerReachability
from kafka_workers.runtime.consuming.batch import BatchProcessor
from kafka_workers.runtime.consuming.definition import ConsumerDefinition
from kafka_workers.runtime.consuming.guarded_breaker import GuardedBreaker
from kafka_workers.runtime.consuming.membership import GroupMembership
from kafka_workers.runtime.consuming.retry import Outcome, seconds_until_due
from kafka_workers.runtime.consuming.side_threads import running_beside
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.runtime.producing.producer import Producer

AT_END_SECONDS = 1.0
"""How often it is told which partitions are read to their end."""
JOIN_SECONDS = 3
"""How long a new member waits for its first partitions; there may be none left for it."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


def run(definition: ConsumerDefinition[T], stop: threading.Event) -> None:
    """Consume until `stop` is set; then finish and commit the present batch, and leave the group.

    Waits while Kafka, its topics or a server that `handle` needs is unavailable, and while the circuit
    breaker is open. Raises ImproperlyConfigured where the settings do not fit this consumer.
    """
    definition.check()
    begin_group_at_0(definition.group)
    with running_beside(definition.beside, stop):
        _consume(definition, stop)


def _consume(definition: ConsumerDefinition[T], stop: threading.Event) -> None:
    delays = settings.RETRY_DELAYS_SECONDS
    reachability = BrokerReachability()
    with bound_contextvars(group=definition.group), Producer(definition.group, reachability) as producer:
        membership = GroupMembership(
            definition.group,
            [*definition.topics, *retry_topics(definition.group, len(delays))],
            wait_for=lambda message: seconds_until_due(message, delays),
            before_revoked=producer.await_reports,
            reachability=reachability,
        )
        try:
            # Meanwhile the client joins the group.
            is_warm = warm_up(producer.connect, definition.warm_up)
            membership.await_partitions(JOIN_SECONDS, stop)
            if is_warm:
                tell_warm()
            _Loop(definition, membership, BatchProcessor(definition, producer, delays), stop).run()
        finally:
            definition.clean_up()
            membership.close()


class _Loop(Generic[T]):
    def __init__(
        self,
        definition: ConsumerDefinition[T],
        membership: GroupMembership,
        processor: BatchProcessor[T],
        stop: threading.Event,
    ) -> None:
        self._definition = definition
        self._membership = membership
        self._processor = processor
        self._stop = stop
        self._breaker = GuardedBreaker(definition.group, membership)
        self._size = definition.batch_size
        self._told_end_at = 0.0

    def run(self) -> None:
        log.info("consumer started", topics=list(self._definition.topics))
        while not self._stop.is_set():
            if self._membership.has_partitions:
                tell_warm()
            batch = self._poll(self._breaker.batch_size(self._size))
            if self._breaker.must_wait():
                self._membership.give_back(batch)
                self._breaker.wait(self._stop)
            elif batch:
                self._take(batch)
                self._tell_end()
            else:
                self._breaker.settle()
                self._tell_end()
        if self._membership.is_ahead and not self._membership.batch and not self._breaker.is_open:
            self._take(self._membership.poll_batch(self._size))
        self._breaker.leave()
        log.info("consumer stopped")

    def _take(self, batch: Sequence[Message]) -> None:
        CONSUMER_BATCH_MESSAGES.labels(self._definition.group).observe(len(batch))
        with CONSUMER_BATCH_SECONDS.labels(self._definition.group).time():
            self._process_and_commit()
        tell_work()
        if not self._membership.has_more:
            self._stop.wait(self._definition.pacing.pause_after(len(batch)))

    def _tell_end(self) -> None:
        if self._definition.at_end is None or time.monotonic() - self._told_end_at < AT_END_SECONDS:
            return
        if partitions := self._membership.read_to_end:
            self._definition.at_end(partitions)
            self._told_end_at = time.monotonic()

    def _process_and_commit(self) -> None:
        outcomes: list[Outcome] = []
        if self._outlast(lambda: outcomes.extend(self._process())) and self._outlast(self._commit):
            self._breaker.count(outcomes, self._processor.latest_reason)

    def _process(self) -> list[Outcome]:
        started = time.monotonic()
        batch = self._membership.batch
        outcomes = self._processor.process(batch, self._breaker.admit, self._prepare_next)
        if self._definition.handle_each:
            self._membership.keep_for_later(batch[len(outcomes) :])
        else:
            self._adapt_size(len(batch), time.monotonic() - started)
            self._membership.give_back(batch[len(outcomes) :])
        return outcomes

    def _poll(self, most: int) -> Sequence[Message]:
        """A batch; messages that are handled one by one come in the order of their records' times."""
        if self._definition.handle_each:
            return self._membership.poll_in_time_order(most)
        return self._membership.poll_batch(most)

    def _prepare_next(self) -> None:
        """Handle the next batch of a backlog while the broker stores the answers of this one.

        Its own answers are sent after these are acknowledged and their offsets committed.
        """
        if not self._membership.has_more or self._stop.is_set() or self._breaker.is_open:
            return
        messages = self._membership.poll_ahead(self._size)
        if messages and not self._membership.notes:
            self._processor.prepare(messages)

    def _commit(self) -> None:
        kill_point("after-answers-before-offsets")
        self._membership.commit()

    def _adapt_size(self, size: int, seconds: float) -> None:
        """Shrink the next batch after one that exceeded its time budget, otherwise let it grow again."""
        budget = self._definition.time_budget
        if seconds > budget:
            self._size = max(1, int(size * budget / seconds))
        elif size == self._size:
            self._size = min(self._definition.batch_size, 2 * self._size)

    def _outlast(self, step: Callable[[], None]) -> bool:
        """Do a step of the present batch, and repeat it during an outage of a dependency.

        False when it was not done: the worker must stop, or the whole batch has gone to other members.
        """
        try:
            step()
        except DependencyUnavailable as error:
            with CONSUMER_WAITING.labels(self._definition.group).track_inprogress():
                return self._retry_until_over(error, step)
        return True

    def _retry_until_over(self, error: DependencyUnavailable, step: Callable[[], None]) -> bool:
        outage = Outage()
        while self._pause(outage.record_failure(error)):
            try:
                step()
            except DependencyUnavailable as again:
                error = again
            else:
                outage.record_success()
                return True
        return False

    def _pause(self, seconds: float) -> bool:
        """Wait; whether the batch must still be processed afterwards."""
        self._membership.pause(seconds, self._stop)
        return bool(self._membership.batch) and not self._stop.is_set()
