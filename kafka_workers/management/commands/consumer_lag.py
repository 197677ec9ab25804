"""`manage.py consumer_lag`."""

import signal
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence

import msgspec
from django.core.management.base import CommandError, CommandParser

from foundation.operator_command import OperatorCommand
from foundation.outage import DependencyUnavailable
from foundation.printable import printable_json
from kafka_workers.lag.shown import failing_sentences, fields_of, write_lag
from kafka_workers.lag.watching import PATIENCE_SECONDS, LagWatch, WatchedPartition

WINDOW_SECONDS = 30.0
SAMPLES = 4
SAMPLE_SECONDS = 1.0
WATCH_SECONDS = 2.0
_CLEAR_SCREEN = "\033[H\033[2J"

Look = Callable[[LagWatch], list[WatchedPartition]]


class Command(OperatorCommand):
    """Shows the lag of each consumer group."""

    help = (
        "Show for each consumer group how many messages are still to be read (unread), how many of them are "
        "held back by an open transaction of the program that sent them (held), how long the first of them "
        "has waited (waits), and whether the group keeps up (status): OK; WARN, it reads but falls further "
        "behind; STALLED, a member has the partition and does not get on; STOPPED, nobody reads; REWOUND, it "
        "was set back. Under a group are the partitions in which something is unread or lost. Exit code 1 "
        "where a group is STALLED or STOPPED, or where retention has deleted messages before it has read "
        f"them. Where messages have waited for {PATIENCE_SECONDS:.0f} seconds, the command looks on for some "
        "seconds before it judges. Elsewhere than on a terminal: a line for each partition, with tabs "
        "between the columns."
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
            help="show it anew every two seconds, until Ctrl-C; the exit code is that of the last state",
        )

    def handle(self, *_: object, group: list[str], json: bool, watch: bool, **__: object) -> None:
        with LagWatch(window_seconds=WINDOW_SECONDS, groups=group) as lag_watch:
            if watch:
                wrong = self._watch(lag_watch, as_json=json)
            else:
                watched = _look_until_sure(lag_watch)
                self._write(watched, as_json=json)
                wrong = _wrong(lag_watch, watched)
        if wrong:
            raise CommandError("\n".join(wrong))

    def _watch(self, lag_watch: LagWatch, *, as_json: bool) -> list[str]:
        """What was wrong when Ctrl-C ended it."""
        # A shell starts background jobs with SIGINT ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        wrong: list[str] = []
        look: Look = _look_until_sure
        try:
            while True:
                watched, wrong = _look_and_judge(lag_watch, look)
                # It is judged before it is shown: Ctrl-C may come as soon as somebody has seen it.
                if watched is None:
                    self.stderr.write("\n".join(wrong))
                else:
                    self._show_anew(watched, as_json=as_json)
                look = LagWatch.look
                self.stdout.flush()
                time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            return wrong

    def _show_anew(self, watched: Sequence[WatchedPartition], *, as_json: bool) -> None:
        if self.stdout.isatty():
            self.stdout.write(_CLEAR_SCREEN, ending="")
        self._write(watched, as_json=as_json)

    def _write(self, watched: Sequence[WatchedPartition], *, as_json: bool) -> None:
        if as_json:
            rows = [fields_of(each) for each in watched]
            self.stdout.write(printable_json(msgspec.json.encode(rows).decode()))
        else:
            write_lag(self.stdout, watched)


def _group_name(text: str) -> str:
    if not text:
        raise ArgumentTypeError("a group has a name")
    return text


def _look_and_judge(lag_watch: LagWatch, look: Look) -> tuple[list[WatchedPartition] | None, list[str]]:
    """What is seen, None in an outage, and what is wrong."""
    try:
        watched = look(lag_watch)
    except DependencyUnavailable as error:
        return None, [str(error)]
    return watched, _wrong(lag_watch, watched)


def _look_until_sure(lag_watch: LagWatch) -> list[WatchedPartition]:
    """What the first look shows where nothing is late; else several looks tell whether the groups get on."""
    watched = lag_watch.look()
    for _ in range(SAMPLES - 1):
        if all(each.waiting_seconds < PATIENCE_SECONDS for each in watched):
            break
        time.sleep(SAMPLE_SECONDS)
        watched = lag_watch.look()
    return watched


def _wrong(lag_watch: LagWatch, watched: Sequence[WatchedPartition]) -> list[str]:
    """The sentences about groups that fail, and one for each partition that nobody can read."""
    leaderless = [
        f"{topic}/{number} has no leader: its lag is not known" for topic, number in lag_watch.leaderless
    ]
    return [*failing_sentences(watched), *sorted(leaderless)]
