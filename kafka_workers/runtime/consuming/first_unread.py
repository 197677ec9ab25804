"""When the first message that a group has not read was recorded, for many partitions at once."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from itertools import zip_longest
from typing import NamedTuple, Self

from confluent_kafka import Consumer, TopicPartition

from kafka_workers.runtime.broker.client_config import reader_config
from kafka_workers.runtime.broker.lag import PartitionLag
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS
from kafka_workers.runtime.broker.topic_reader import is_end
from kafka_workers.runtime.consuming.retry import due_time
from kafka_workers.runtime.exceptions import BrokerUnavailable

Place = tuple[str, int, int]
"""Topic, partition and offset."""

Delays = Sequence[float]
"""Of the retry topics, in seconds."""

AGAIN_SECONDS = 60.0
"""A message is read again after so long: compaction may have deleted it."""
_MESSAGES_AT_ONCE = 1000
_WAIT_SECONDS = 0.05


class FirstMessage(NamedTuple):
    """The first message that a group has not read: its offset, and when it was due, in seconds since 1970.

    A message is due at the time of its record; in a retry topic when its delay ends.
    """

    offset: int
    due: float


class FirstUnread:
    """Finds the first unread message of partitions; one that stays unread is read once a minute.

    Use as a context manager.
    """

    def __init__(self) -> None:
        self._readable = PlaceReader("read_committed")
        self._all = PlaceReader("read_uncommitted")
        self._known: dict[Place, tuple[FirstMessage, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._readable.close()
        self._all.close()

    def find(self, lags: Iterable[PartitionLag], delays: Delays) -> dict[Place, FirstMessage]:
        """The first unread message by where the group reads next, those of open transactions included.

        A place is missing where nothing is to be read: what is left are marks of transactions, and messages
        of aborted ones. Raises BrokerUnavailable and AccessDenied.
        """
        behind = {place_of(lag): lag for lag in lags if lag.lag}
        found = self._readable_at(behind.keys(), delays)
        held = {place: _first_held(lag) for place, lag in behind.items() if lag.held and place not in found}
        read = self._all.read(set(held.values()), delays)
        return found | {place: read[first] for place, first in held.items() if first in read}

    def _readable_at(self, places: Set[Place], delays: Delays) -> dict[Place, FirstMessage]:
        """What can be read there, known or read now."""
        now = time.monotonic()
        known = {
            place: (first, read_at)
            for place, (first, read_at) in self._known.items()
            if place in places and now - read_at < AGAIN_SECONDS
        }
        read = self._readable.read(places - known.keys(), delays)
        self._known = known | {place: (first, now) for place, first in read.items()}
        return {place: first for place, (first, _) in self._known.items()}


class PlaceReader:
    """Reads single messages at places of partitions, by a client of this isolation level.

    The client is made when it is first needed.
    """

    def __init__(self, isolation_level: str) -> None:
        self._isolation_level = isolation_level
        self._made: Consumer | None = None

    @property
    def _consumer(self) -> Consumer:
        if self._made is None:
            # A message or two of each partition are enough.
            options = {"max.partition.fetch.bytes": 1024, "isolation.level": self._isolation_level}
            self._made = Consumer(reader_config("first-unread") | options)
        return self._made

    def close(self) -> None:
        """Close the client."""
        if self._made is not None:
            self._made.close()

    def read(self, places: Iterable[Place], delays: Delays) -> dict[Place, FirstMessage]:
        """The first message at each place or behind it; none where nothing is to be read now.

        Raises BrokerUnavailable and AccessDenied.
        """
        found: dict[Place, FirstMessage] = {}
        for wave in _one_a_partition(places):
            found |= self._read_wave(wave, delays)
        return found

    def _read_wave(self, places: Collection[Place], delays: Delays) -> dict[Place, FirstMessage]:
        unread = {(topic, partition): offset for topic, partition, offset in places}
        found: dict[Place, FirstMessage] = {}
        self._consumer.assign([TopicPartition(*place) for place in places])
        try:
            deadline = time.monotonic() + ANSWER_SECONDS
            while unread:
                for partition, first in self._next(delays):
                    offset = unread.pop(partition, None)
                    if offset is not None and first is not None:
                        found[(*partition, offset)] = first
                if unread and time.monotonic() > deadline:
                    topic, number = min(unread)
                    raise BrokerUnavailable(f"{topic}/{number} could not be read")
        finally:
            self._consumer.unassign()
        return found

    def _next(self, delays: Delays) -> Iterator[tuple[tuple[str, int], FirstMessage | None]]:
        """What arrives: partitions with a message of theirs, None at their end."""
        for message in self._consumer.consume(_MESSAGES_AT_ONCE, timeout=_WAIT_SECONDS):
            partition, error = (str(message.topic()), int(message.partition() or 0)), message.error()
            if error is None:
                yield partition, FirstMessage(int(message.offset() or 0), due_time(message, delays))
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
    """Where the group reads next."""
    return lag.topic, lag.partition, lag.next_offset


def _first_held(lag: PartitionLag) -> Place:
    return lag.topic, lag.partition, max(lag.next_offset, lag.end - lag.held)
