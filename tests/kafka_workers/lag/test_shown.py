"""How lag is shown to people, in 80 columns."""

from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from kafka_workers.lag.judging import Status
from kafka_workers.lag.shown import failing_sentences, write_lag
from kafka_workers.lag.watching import WatchedPartition
from kafka_workers.runtime.broker.lag import PartitionLag


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def watched(
    group: str, topic: str, partition: int = 0, *, unread: int = 0, held: int = 0, status: Status = Status.OK
) -> WatchedPartition:
    lag = PartitionLag(
        group=group, topic=topic, partition=partition, start=0, end=unread, held=held, committed=0
    )
    seconds = 200.0 * unread
    return WatchedPartition(lag=lag, unread=unread, waiting_seconds=seconds, status=status)


SEEN = [
    watched("orders-service-group", "inventory.released"),
    watched("orders-service-group", "inventory.reserved"),
    watched("products-service-group", "inventory.release", unread=1, held=1),
    *(
        watched("products-service-group", "inventory.reserve", number, unread=2, status=Status.STOPPED)
        for number in range(4)
    ),
    watched("products-service-group", "products-service-group.retry.3", unread=1000, status=Status.STALLED),
]


def test_people_see_each_group_and_what_is_behind_within_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    write_lag(OutputWrapper(out), SEEN)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines == [
        "group, and what is behind           unread  held       waits  status",
        "orders-service-group                     0     -           -  OK",
        "products-service-group                1009     1     2 d 7 h  STOPPED",
        "  inventory.release/0                    1     1  3 min 20 s  OK",
        "  inventory.reserve/0                    2     -  6 min 40 s  STOPPED",
        "  inventory.reserve/1                    2     -  6 min 40 s  STOPPED",
        "  inventory.reserve/2                    2     -  6 min 40 s  STOPPED",
        "  inventory.reserve/3                    2     -  6 min 40 s  STOPPED",
        "  products-service-group.retry.3/0    1000     -     2 d 7 h  STALLED",
    ]


def test_a_group_that_fails_has_one_sentence_for_each_way() -> None:
    stopped, stalled = failing_sentences(SEEN)
    assert stopped == (
        "no member of products-service-group reads inventory.reserve/0, inventory.reserve/1, "
        "inventory.reserve/2 and 1 more: 8 messages wait, the first for 6 min 40 s"
    )
    assert stalled == (
        "products-service-group has products-service-group.retry.3/0 and does not get on: "
        "1000 messages wait, the first for 2 d 7 h"
    )
