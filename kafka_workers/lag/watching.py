"""Watches how the groups of the cluster keep up: a window of samples for each partition of a group."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Self

from django.conf import settings
from msgspec import Struct

from kafka_workers.lag.judging import Sample, Status, judge
from kafka_workers.runtime.broker.lag import LagReader, PartitionLag
from kafka_workers.runtime.consuming.first_unread import FirstMessage, FirstUnread, place_of
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.workers import CONSUMERS, GROUPS

Partition = tuple[str, str, int]
"""Group, topic and partition."""

PATIENCE_SECONDS = 5.0
"""A message that waits for less may be in work."""


class WatchedPartition(Struct, frozen=True, kw_only=True):
    """A partition that a group reads: how far and how long it is behind, and whether it keeps up.

    `unread` counts from the first message that can be read or is of an open transaction; `waiting_seconds` is
    the age of that one. `lost` are those that retention has deleted before the group has read them.
    """

    lag: PartitionLag
    unread: int
    waiting_seconds: float
    status: Status
    lost: int = 0


class LagWatch:
    """Looks at groups again and again. Use as a context manager.

    `groups` are those to look at; without them all of the cluster, and ours that have not read yet.
    Partitions without a leader are left out: nobody can read them, or tell what is in them.
    """

    def __init__(self, *, window_seconds: float, groups: Sequence[str] = ()) -> None:
        self._window_seconds = window_seconds
        self._groups = groups
        self._reader = LagReader()
        self._unread = FirstUnread()
        self._windows: dict[Partition, deque[Sample]] = {}
        self._losses = Losses()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.__exit__()
        self._unread.__exit__()

    @property
    def leaderless(self) -> set[tuple[str, int]]:
        """Topic and partition of what the last look left out."""
        return self._reader.leaderless

    def look(self) -> list[WatchedPartition]:
        """Take a sample of each partition and judge it, by group, topic and partition.

        Raises BrokerUnavailable, and AccessDenied for a user without the permissions of `stockbridge-lag`.
        """
        groups = self._groups or sorted({*running_groups(), *self._reader.group_names()})
        lags = self._reader.read({group: topics_of(group) for group in groups})
        first = self._unread.find(lags, settings.RETRY_DELAYS_SECONDS)
        assigned = self._reader.assigned(groups)
        now = time.time()
        found = [self._watched(lag, first.get(place_of(lag)), assigned, now) for lag in lags]
        self._forget_all_but({_key(lag) for lag in lags})
        return found

    def _watched(
        self, lag: PartitionLag, first: FirstMessage | None, assigned: set[Partition], now: float
    ) -> WatchedPartition:
        unread = lag.end - first.offset if first else 0
        waiting = max(0.0, now - first.due) if first else 0.0
        window = self._windows.setdefault(_key(lag), deque())
        window.append(
            Sample(
                time=now,
                committed=lag.committed,
                lag=unread,
                waiting_seconds=waiting,
                is_read=_key(lag) in assigned,
            )
        )
        while now - window[0].time > self._window_seconds:
            window.popleft()
        status = judge(window, patience=PATIENCE_SECONDS)
        return WatchedPartition(
            lag=lag,
            unread=unread,
            waiting_seconds=waiting,
            status=status,
            lost=self._losses.count(lag, unread),
        )

    def _forget_all_but(self, partitions: set[Partition]) -> None:
        for gone in self._windows.keys() - partitions:
            del self._windows[gone]
        self._losses.forget_all_but(partitions)


class Losses:
    """Counts the messages that retention has deleted before a group has read them.

    Where a group has read all, offsets behind its own are marks of transactions. This is known of partitions
    that were seen before; of others a single offset is not taken for a message.
    """

    def __init__(self) -> None:
        self._seen: dict[Partition, tuple[int, bool]] = {}

    def count(self, lag: PartitionLag, unread: int) -> int:
        """How many are lost as of now: none once the group has read a later one."""
        if lag.committed is None or lag.committed > lag.end:
            return 0
        if lag.committed >= lag.start:
            self._seen[_key(lag)] = lag.committed, unread > 0
            return 0
        lost = lag.start - lag.committed
        committed, had_unread = self._seen.get(_key(lag), (None, False))
        is_lost = had_unread if committed == lag.committed else lost > 1
        return lost if is_lost else 0

    def forget_all_but(self, partitions: set[Partition]) -> None:
        """Forget what was seen of other partitions."""
        for gone in self._seen.keys() - partitions:
            del self._seen[gone]


def running_groups() -> list[str]:
    """Our groups, but for those of workers that these settings leave out."""
    return [each.group for each in CONSUMERS if not each.setting or getattr(settings, each.setting)]


def topics_of(group: str) -> list[str]:
    """The topics of one of our groups; empty for another group, whose topics follow from its commits."""
    if group not in GROUPS:
        return []
    return [*GROUPS[group], *retry_topics(group, len(settings.RETRY_DELAYS_SECONDS))]


def _key(lag: PartitionLag) -> Partition:
    return lag.group, lag.topic, lag.partition
