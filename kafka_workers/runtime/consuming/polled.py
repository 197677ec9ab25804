"""Messages that were polled together, and the offsets to commit once they are finished."""

import time
from collections.abc import Collection, Sequence

from confluent_kafka import Message
from msgspec import Struct, field

from kafka_workers.runtime.consuming.offsets import OffsetOfPartition, Partition


def partition_of(message: Message) -> Partition:
    return str(message.topic()), int(message.partition() or 0)


def offset_of(message: Message) -> int:
    return int(message.offset() or 0)


class Polled(Struct):
    """The messages of one poll; `offsets` are of those partitions of which anything was read.

    `has_more` means that more messages may be waiting behind them.
    """

    messages: list[Message] = field(default_factory=list)
    offsets: OffsetOfPartition = field(default_factory=dict)
    has_more: bool = False

    def remove(self, partitions: Collection[Partition]) -> None:
        """Forget what was read of these partitions: another member reads it, or this one reads it again."""
        self.messages = without(self.messages, partitions)
        for partition in partitions:
            self.offsets.pop(partition, None)


def without(messages: list[Message], partitions: Collection[Partition]) -> list[Message]:
    """The messages of all other partitions."""
    return [message for message in messages if partition_of(message) not in partitions]


def in_time_order(messages: Sequence[Message], topics: Sequence[str]) -> list[Message]:
    """The messages by the times of their records; of the same time, in the order of these topics.

    Those of one partition stay in its order, and a time of the future counts as now.
    """
    now, latest = time.time() * 1000, dict[Partition, float]()
    places: list[tuple[float, int, int]] = []
    for index, message in enumerate(messages):
        partition = partition_of(message)
        at = max(latest.get(partition, 0), min(now, message.timestamp()[1]))
        latest[partition] = at
        places.append((at, topics.index(partition[0]), index))
    return [messages[index] for _, _, index in sorted(places)]
