"""Partitions whose next message is not due yet."""

import math
import time
from collections.abc import Callable, Iterable

from confluent_kafka import Message

from kafka_workers.runtime.consuming.offsets import Partition
from kafka_workers.runtime.consuming.polled import offset_of, partition_of


class PostponedPartitions:
    """Notes the partitions that are postponed.

    `until` has the time at which each of them is due. `wait_for` gives how many seconds a message must still
    wait.
    """

    def __init__(self, wait_for: Callable[[Message], float]) -> None:
        self._wait_for = wait_for
        self.until: dict[Partition, float] = {}
        self._has_waited: dict[Partition, int] = {}

    @property
    def seconds_left(self) -> float:
        """In how many seconds the first partition is due; infinite when none is postponed."""
        return min(self.until.values(), default=math.inf) - time.monotonic()

    def seconds_of(self, message: Message) -> float:
        """For how many seconds the message's partition has to be postponed; 0 when the message is due."""
        seconds = self._wait_for(message)
        # Once: with a timestamp of the future, which any program may write, it would never be due.
        if seconds <= 0 or self._has_waited.get(partition_of(message)) == offset_of(message):
            return 0
        return seconds

    def add(self, message: Message, seconds: float) -> None:
        """Postpone the message's partition."""
        partition = partition_of(message)
        self.until[partition] = time.monotonic() + seconds
        self._has_waited[partition] = offset_of(message)

    def take_due(self) -> set[Partition]:
        """The partitions that are due now and no longer postponed."""
        now = time.monotonic()
        due = {partition for partition, until in self.until.items() if until <= now}
        for partition in due:
            del self.until[partition]
        return due

    def remove(self, partitions: Iterable[Partition]) -> None:
        """Forget these partitions: another member has them now."""
        for partition in partitions:
            self.until.pop(partition, None)
            self._has_waited.pop(partition, None)
