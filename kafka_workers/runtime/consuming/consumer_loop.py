"""The life of a consumer: take a batch, handle it, deliver the answers, commit; again until asked to stop.

One thread does all of it, so a rebalance never meets a half-done batch: partitions go after the commit.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from django.conf import settings
from structlog.contextvars import bound_contextvars

from foundation.kill_points import kill_point
from foundation.metrics import CONSUMER_BATCH_MESSAGES, CONSUMER_BATCH_SECONDS, CONSUMER_WAITING
from foundation.outage import DependencyUnavailable, Outage
from foundation.pacing import WORKER_PACING
from kafka_workers.runtime.broker.client_config import Connection
from kafka_workers.runtime.consuming.batch import BatchProcessor
from kafka_workers.runtime.consuming.breaker import FloodBreaker, FloodLimits
from kafka_workers.runtime.consuming.definition import ConsumerDefinition
from kafka_workers.runtime.consuming.membership import Subscription
from kafka_workers.runtime.consuming.retry import Outcome, seconds_until_due
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.runtime.producing.producer import Producer

T = TypeVar("T")

log = structlog.get_logger(__name__)


def run(definition: ConsumerDefinition[T], stop: threading.Event) -> None:
    """Consume until `stop` is set; then the batch in hand is finished and committed, and the group left.

    Waits by itself for Kafka, for its topics and for whatever `handle` needs. Raises FloodOfDeadLetters, with
    everything handled so far committed.
    """
    delays = settings.RETRY_DELAYS_SECONDS
    connection = Connection()
    with bound_contextvars(group=definition.group), Producer(definition.group, connection) as producer:
        subscription = Subscription(
            definition.group,
            [*definition.topics, *retry_topics(definition.group, len(delays))],
            lambda message: seconds_until_due(message, delays),
            connection,
        )
        try:
            _Loop(definition, subscription, BatchProcessor(definition, producer, delays), stop).run()
        finally:
            subscription.close()


class _Loop(Generic[T]):
    def __init__(
        self,
        definition: ConsumerDefinition[T],
        subscription: Subscription,
        processor: BatchProcessor[T],
        stop: threading.Event,
    ) -> None:
        self._definition = definition
        self._subscription = subscription
        self._processor = processor
        self._stop = stop
        self._breaker = FloodBreaker(definition.group, FloodLimits.from_settings())
        self._most = definition.batch_size

    def run(self) -> None:
        log.info("consumer started", topics=list(self._definition.topics))
        while not self._stop.is_set():
            if batch := self._subscription.take(self._most):
                CONSUMER_BATCH_MESSAGES.labels(self._definition.group).observe(len(batch))
                with CONSUMER_BATCH_SECONDS.labels(self._definition.group).time():
                    self._finish_batch()
                if not self._subscription.has_more:
                    self._stop.wait(WORKER_PACING.pause_after(len(batch)))
        log.info("consumer stopped")

    def _finish_batch(self) -> None:
        outcomes: list[Outcome] = []
        if self._persist(lambda: outcomes.extend(self._process())) and self._persist(self._commit):
            self._breaker.count([outcome.is_dead for outcome in outcomes])

    def _process(self) -> list[Outcome]:
        started = time.monotonic()
        batch = self._subscription.in_hand
        outcomes = self._processor.process(batch)
        self._adapt(len(batch), time.monotonic() - started)
        return outcomes

    def _commit(self) -> None:
        kill_point("after-answers-before-offsets")
        self._subscription.commit()

    def _adapt(self, size: int, seconds: float) -> None:
        """Fewer messages at a time while a batch takes longer than its budget, more again afterwards."""
        budget = self._definition.time_budget
        if seconds > budget:
            self._most = max(1, int(size * budget / seconds))
        elif size == self._most:
            self._most = min(self._definition.batch_size, 2 * self._most)

    def _persist(self, step: Callable[[], None]) -> bool:
        """Repeat a step with the batch in hand for as long as something that it needs is away.

        False where it was not done: asked to stop while waiting, or the whole batch went to other members.
        """
        try:
            step()
        except DependencyUnavailable as error:
            with CONSUMER_WAITING.labels(self._definition.group).track_inprogress():
                return self._outlast(error, step)
        return True

    def _outlast(self, error: DependencyUnavailable, step: Callable[[], None]) -> bool:
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
        """Whether there is still something to do afterwards."""
        self._subscription.hold(seconds, self._stop)
        return bool(self._subscription.in_hand) and not self._stop.is_set()
