"""When the first message that a group has not read was recorded, for many partitions at once."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Self

from confluent_kafka import Consumer, TopicPartition

from kafka_workers.runtime.broker.client_config import reader_config
from kafka_workers.runtime.broker.lag import PartitionLag
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS
from kafka_workers.runtime.broker.topic_reader import is_end
from kafka_workers.runtime.consuming.retry import due_time

Place = tuple[str, int, int]
"""Topic, partition and offset."""

_MESSAGES_AT_ONCE = 1000
_WAIT_SECONDS = 0.05


class FirstUnread:
    """Reads the first unread message of partitions; one that stays unread is read once.

    Use as a context manager.
    """

    def __init__(self) -> None:
        # A message or two of each partition are enough.
        self._consumer = Consumer(reader_config("first-unread") | {"max.partition.fetch.bytes": 1024})
        self._known: dict[Place, float | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def due_times(self, lags: Iterable[PartitionLag], delays: Sequence[float]) -> dict[Place, float]:
        """When the first unread message of each partition with lag was due, in seconds since 1970.

        That is its record's time; in a retry topic it is the time at which its delay ends. A partition is
        missing where nothing is to be read: what is left are marks of transactions, or messages of an open
        one. Raises BrokerUnavailable and AccessDenied.
        """
        wanted = {place_of(lag) for lag in lags if lag.lag}
        known = {place: self._known[place] for place in wanted & self._known.keys()}
        for places in _one_a_partition(wanted - known.keys()):
            known |= self._read(places, delays)
        # Something may follow where nothing was to be read.
        self._known = {place: due for place, due in known.items() if due is not None}
        return {place: due for place, due in known.items() if due is not None}

    def _read(self, places: Collection[Place], delays: Sequence[float]) -> dict[Place, float | None]:
        """None: nothing is to be read there now."""
        offsets = {(topic, partition): offset for topic, partition, offset in places}
        found: dict[Place, float | None] = {}
        self._consumer.assign([TopicPartition(*place) for place in places])
        try:
            deadline = time.monotonic() + ANSWER_SECONDS
            while len(found) < len(places) and time.monotonic() < deadline:
                for partition, due in self._next(delays):
                    if partition in offsets:
                        found.setdefault((*partition, offsets[partition]), due)
        finally:
            self._consumer.unassign()
        return found

    def _next(self, delays: Sequence[float]) -> Iterator[tuple[tuple[str, int], float | None]]:
        """What arrives: partitions with the time at which a message of theirs was due, None at their end."""
        for message in self._consumer.consume(_MESSAGES_AT_ONCE, timeout=_WAIT_SECONDS):
            partition, error = (str(message.topic()), int(message.partition() or 0)), message.error()
            if error is None:
                yield partition, due_time(message, delays)
            elif is_end(error, partition[0]):
                yield partition, None


def _one_a_partition(places: Iterable[Place]) -> Iterator[list[Place]]:
    """The places in lists of one a partition: a client reads a partition at one offset at a time."""
    by_partition: dict[tuple[str, int], list[Place]] = {}
    for topic, partition, offset in places:
        by_partition.setdefault((topic, partition), []).append((topic, partition, offset))
    for wave in zip_longest(*by_partition.values()):
        yield [place for place in wave if place]


def place_of(lag: PartitionLag) -> Place:
    """Where the group reads next; what retention has deleted is passed over."""
    return lag.topic, lag.partition, max(lag.start, lag.committed or 0)
