"""Messages that nobody can read yet, because a transaction of another program is open in their partition.

Consumers read committed messages alone: an aborted one was never sent. So every message behind the first one
of an open transaction waits until that transaction ends or the broker ends it, whoever sent it. The client
reports both ends of a partition every few seconds; this module says so when they stay apart.
"""

from collections.abc import Callable, Sequence

import msgspec
import structlog
from msgspec import Struct, field

from foundation.metrics import CONSUMER_HELD_MESSAGES

REPORT_SECONDS = 2
"""How often the client reports. Our own transactions, which redrive dead letters, take less."""

log = structlog.get_logger(__name__)


class _Partition(Struct, frozen=True):
    fetch_state: str = ""
    ls_offset: int = -1
    hi_offset: int = -1

    @property
    def held(self) -> int:
        """How many messages are between the last one that can be read and the last one."""
        is_read = self.fetch_state == "active" and self.ls_offset >= 0
        return max(0, self.hi_offset - self.ls_offset) if is_read else 0


class _Topic(Struct, frozen=True):
    partitions: dict[str, _Partition] = field(default_factory=dict)


class _Report(Struct, frozen=True):
    topics: dict[str, _Topic] = field(default_factory=dict)


_decode = msgspec.json.Decoder(_Report).decode


class HeldMessages:
    """Logs once when messages of a partition are held, and once that they are not; sets the metric.

    `tell` is given a sentence for each partition whenever they change.
    """

    def __init__(self, group: str, tell: Callable[[Sequence[str]], None]) -> None:
        self._group = group
        self._tell = tell
        self._last: dict[tuple[str, str], int] = {}
        self._told: set[tuple[str, str]] = set()

    def report(self, statistics: str) -> None:
        """Take a report of the client, which is JSON."""
        partitions = {
            (topic, number): partition
            for topic, found in _decode(statistics).topics.items()
            for number, partition in found.partitions.items()
            if partition.held
        }
        # Held by the same transaction as in the report before.
        held = {place for place, each in partitions.items() if self._last.get(place) == each.ls_offset}
        self._last = {place: each.ls_offset for place, each in partitions.items()}
        for topic, number in held | self._told:
            count = partitions[topic, number].held if (topic, number) in held else 0
            CONSUMER_HELD_MESSAGES.labels(self._group, topic, number).set(count)
        self._log(held)

    def _log(self, held: set[tuple[str, str]]) -> None:
        for topic, number in sorted(held - self._told):
            log.warning("messages wait for an open transaction", topic=topic, partition=int(number))
        for topic, number in sorted(self._told - held):
            log.info("messages wait for no transaction any more", topic=topic, partition=int(number))
        if held != self._told:
            self._told = held
            self._tell([_sentence(*place) for place in sorted(held)])


def _sentence(topic: str, partition: str) -> str:
    return f"{topic}/{partition}: messages wait for an open transaction of a program that sends there"
