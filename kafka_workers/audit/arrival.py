"""Waiting until all messages in flight between orders and stock have arrived.

An order with a request or answer in flight differs from the ledger without being wrong. So the audit waits
for the workers of the saga one after the other: the relay must pass the last event of the log, then each
consumer all messages sent by then, with its retries. An order that has not changed meanwhile and still
differs is wrong.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

from django.conf import settings

from kafka_workers.runtime.broker.lag import PartitionLag, read_lag
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.workers import SAGA, Consumer
from orders_app import event_log
from orders_app.event_log import RELAY_READER

POLL_SECONDS = 0.2

Stage = Callable[[], str]
"""Gives a sentence about what has not arrived yet; empty when all has."""


def await_arrival(seconds: float) -> str:
    """Wait at most so long; empty when all has arrived, else a sentence about what has not."""
    end = time.monotonic() + seconds
    try:
        for stage in _stages():
            while behind := stage():
                if time.monotonic() > end:
                    return behind
                time.sleep(POLL_SECONDS)
    except BrokerUnavailable as error:
        return str(error)
    return ""


def _stages() -> Iterator[Stage]:
    """The stages in order; each finds its end when it is created, after the stage before it is done."""
    for worker in SAGA:
        if isinstance(worker, Consumer):
            yield from _consumer(worker)
        else:
            yield _relay()


def _relay() -> Stage:
    last = event_log.last_position()
    return lambda: (
        "" if event_log.stored_position(RELAY_READER) >= last else "the relay has not sent all events"
    )


def _consumer(consumer: Consumer) -> Iterator[Stage]:
    yield _group(consumer.group, consumer.reads)
    retries = retry_topics(consumer.group, len(settings.RETRY_DELAYS_SECONDS))
    if any(each.lag for each in _lag(consumer.group, retries)):
        # In order, because a message that fails again moves on to the next retry topic.
        for topic in retries:
            yield _group(consumer.group, [topic])


def _group(group: str, topics: Sequence[str]) -> Stage:
    first = _lag(group, topics)
    ends = {(each.topic, each.partition): each.end for each in first}
    lags = chain([first], iter(partial(_lag, group, topics), None))

    def behind() -> str:
        unread = sum(
            max(0, ends.get((each.topic, each.partition), 0) - each.next_offset) for each in next(lags)
        )
        return f"{group} has {unread} messages of {', '.join(topics)} before it" if unread else ""

    return behind


def _lag(group: str, topics: Sequence[str]) -> list[PartitionLag]:
    return [each for each in read_lag({group: topics}) if each.topic in topics]
