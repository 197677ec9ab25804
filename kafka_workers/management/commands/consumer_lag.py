"""`manage.py consumer_lag`."""

import time
from argparse import ArgumentTypeError
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec
from django.core.management.base import CommandError, CommandParser

from foundation.operator_command import Column, OperatorCommand, write_table
from foundation.printable import printable_json
from kafka_workers.lag.judging import FAILING, Status
from kafka_workers.lag.watching import PATIENCE_SECONDS, LagWatch, WatchedPartition

WINDOW_SECONDS = 30.0
SAMPLES = 4
SAMPLE_SECONDS = 1.0
WATCH_SECONDS = 2.0
_CLEAR_SCREEN = "\033[H\033[2J"

_COLUMNS = (
    Column("group", stretches=True),
    Column("topic"),
    Column("partition"),
    Column("lag"),
    Column("held"),
    Column("seconds"),
    Column("status"),
    Column("start", on_terminal=False),
    Column("end", on_terminal=False),
    Column("committed", on_terminal=False),
)
_SENTENCES = {
    Status.STALLED: "{group} has {topic}/{partition} and does not get on",
    Status.STOPPED: "no member of {group} reads {topic}/{partition}",
}


class Command(OperatorCommand):
    """Shows the lag of each consumer group."""

    help = (
        "Show for each consumer group and partition how many messages are still to be read (lag), how many "
        "of them are held back by an open transaction of the program that sent them (held), how long the "
        "first of them has waited (seconds), and whether the group keeps up (status): OK; WARN, it reads but "
        "falls further behind; STALLED, a member has the partition and does not get on; STOPPED, nobody "
        "reads; REWOUND, it was set back. Exit code 1 where a group is STALLED or STOPPED. Where messages "
        f"have waited for {PATIENCE_SECONDS:.0f} seconds, the command looks on for some seconds before it "
        "judges. Elsewhere than on a terminal: whole lines, with tabs between the columns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            type=_group_name,
            help="only this group; may be given more than once",
        )
        parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")
        parser.add_argument(
            "--watch",
            action="store_true",
            help="show it anew every two seconds, until Ctrl-C",
        )

    def handle(self, *_: object, group: list[str], json: bool, watch: bool, **__: object) -> None:
        with LagWatch(window_seconds=WINDOW_SECONDS, groups=group) as lag_watch:
            if watch:
                self._watch(lag_watch, as_json=json)
                return
            watched = _look_until_sure(lag_watch)
        self._write(watched, as_json=json)
        if failing := [each for each in watched if each.status in FAILING]:
            raise CommandError("\n".join(_sentences(failing)))

    def _watch(self, lag_watch: LagWatch, *, as_json: bool) -> None:
        with suppress(KeyboardInterrupt):
            while True:
                watched = lag_watch.look()
                if self.stdout.isatty():
                    self.stdout.write(_CLEAR_SCREEN, ending="")
                self._write(watched, as_json=as_json)
                self.stdout.flush()
                time.sleep(WATCH_SECONDS)

    def _write(self, watched: Sequence[WatchedPartition], *, as_json: bool) -> None:
        rows = [_row(each) for each in watched]
        if as_json:
            self.stdout.write(printable_json(msgspec.json.encode(rows).decode()))
            return
        cells = [
            ["-" if (value := row[each.name]) is None else str(value) for each in _COLUMNS] for row in rows
        ]
        write_table(self.stdout, _COLUMNS, cells)


def _group_name(text: str) -> str:
    if not text:
        raise ArgumentTypeError("a group has a name")
    return text


def _look_until_sure(lag_watch: LagWatch) -> list[WatchedPartition]:
    """What the first look shows where nothing is late; else several looks tell whether the groups get on."""
    watched = lag_watch.look()
    for _ in range(SAMPLES - 1):
        if all(each.waiting_seconds < PATIENCE_SECONDS for each in watched):
            break
        time.sleep(SAMPLE_SECONDS)
        watched = lag_watch.look()
    return watched


def _row(watched: WatchedPartition) -> dict[str, object]:
    return {
        **msgspec.structs.asdict(watched.lag),
        "lag": watched.unread,
        "seconds": round(watched.waiting_seconds, 1),
        "status": str(watched.status),
    }


def _sentences(failing: Iterable[WatchedPartition]) -> list[str]:
    return [
        _SENTENCES[each.status].format(
            group=each.lag.group, topic=each.lag.topic, partition=each.lag.partition
        )
        + f": {each.unread} messages wait, the first for {each.waiting_seconds:.0f} s"
        for each in failing
    ]
