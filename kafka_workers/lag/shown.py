"""How lag is shown: to people a line for each group and for what is behind, to programs every partition."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
from django.core.management.base import OutputWrapper

from foundation.duration import duration_in_words
from foundation.operator_command import Column, write_table
from kafka_workers.lag.judging import FAILING, Status
from kafka_workers.lag.watching import WatchedPartition

_FOR_PEOPLE = (
    Column("group, and what is behind", stretches=True),
    Column("unread", is_number=True),
    Column("held", is_number=True),
    Column("waits", is_number=True),
    Column("status"),
)
_FOR_PROGRAMS = tuple(
    map(
        Column,
        (
            "group",
            "topic",
            "partition",
            "lag",
            "held",
            "seconds",
            "status",
            "start",
            "end",
            "committed",
            "lost",
        ),
    )
)
_WORST_FIRST = (Status.STOPPED, Status.STALLED, Status.REWOUND, Status.WARN, Status.OK)
_SENTENCES = {
    Status.STALLED: "{group} has {places} and does not get on",
    Status.STOPPED: "no member of {group} reads {places}",
}
_NAMED_PLACES = 3


def fields_of(watched: WatchedPartition) -> dict[str, object]:
    """A partition for programs, by names of fields."""
    return {
        **msgspec.structs.asdict(watched.lag),
        "lag": watched.unread,
        "lost": watched.lost,
        "seconds": round(watched.waiting_seconds, 1),
        "status": str(watched.status),
    }


def write_lag(out: OutputWrapper, watched: Sequence[WatchedPartition]) -> None:
    """Print it for people on a terminal, elsewhere one line for each partition."""
    if out.isatty():
        write_table(out, _FOR_PEOPLE, [line for _, group in _by_group(watched) for line in _lines(group)])
        return
    rows = [fields_of(each) for each in watched]
    cells = [
        ["-" if (cell := row[each.name]) is None else str(cell) for each in _FOR_PROGRAMS] for row in rows
    ]
    write_table(out, _FOR_PROGRAMS, cells)


def failing_sentences(watched: Sequence[WatchedPartition]) -> list[str]:
    """A sentence for each group, and each way in which it fails: messages that are lost, and each status."""
    return [
        sentence
        for group, partitions in _by_group(watched)
        for sentence in (*_of_losses(group, partitions), *_of_statuses(group, partitions))
    ]


def _of_losses(group: str, partitions: Sequence[WatchedPartition]) -> Iterator[str]:
    if losing := [each for each in partitions if each.lost]:
        lost = sum(each.lost for each in losing)
        yield f"retention has deleted messages before {group} has read them: {lost} of {_places(losing)}"


def _of_statuses(group: str, partitions: Sequence[WatchedPartition]) -> Iterator[str]:
    for status in _WORST_FIRST:
        failing = [each for each in partitions if each.status is status]
        if failing and status in FAILING:
            yield _sentence(group, status, failing)


def _sentence(group: str, status: Status, failing: Sequence[WatchedPartition]) -> str:
    unread, seconds = sum(each.unread for each in failing), max(each.waiting_seconds for each in failing)
    waits = "1 message waits," if unread == 1 else f"{unread} messages wait, the first"
    start = _SENTENCES[status].format(group=group, places=_places(failing))
    return f"{start}: {waits} for {duration_in_words(seconds)}"


def _places(partitions: Sequence[WatchedPartition]) -> str:
    names = list(map(_place, partitions))
    more = len(names) - _NAMED_PLACES
    return ", ".join(names[:_NAMED_PLACES]) + (f" and {more} more" if more > 0 else "")


def _by_group(watched: Sequence[WatchedPartition]) -> Iterator[tuple[str, list[WatchedPartition]]]:
    """The partitions are in the order of their groups."""
    for group, partitions in groupby(watched, _group):
        yield group, list(partitions)


def _lines(partitions: Sequence[WatchedPartition]) -> Iterator[list[str]]:
    """A group, then its partitions in which something is unread or wrong."""
    yield _line(_group(partitions[0]), partitions)
    for each in partitions:
        if each.unread or each.lost or each.status is not Status.OK:
            yield _line(f"  {_place(each)}", [each])


def _line(name: str, partitions: Sequence[WatchedPartition]) -> list[str]:
    unread, held = sum(each.unread for each in partitions), sum(each.lag.held for each in partitions)
    seconds = max(each.waiting_seconds for each in partitions)
    worst = min((each.status for each in partitions), key=_WORST_FIRST.index)
    return [name, str(unread), str(held or "-"), duration_in_words(seconds) if unread else "-", str(worst)]


def _group(watched: WatchedPartition) -> str:
    return watched.lag.group


def _place(watched: WatchedPartition) -> str:
    return f"{watched.lag.topic}/{watched.lag.partition}"
