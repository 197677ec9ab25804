"""`manage.py consumer_lag`."""

import msgspec
from django.conf import settings
from django.core.management.base import CommandParser

from foundation.operator_command import Column, OperatorCommand, write_table
from foundation.printable import printable_json
from kafka_workers.runtime.broker.lag import PartitionLag, group_names, read_lag
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.workers import GROUPS

_COLUMNS = (
    Column("group", stretches=True),
    Column("topic"),
    Column("partition"),
    Column("lag"),
    Column("held"),
    Column("start", on_terminal=False),
    Column("end", on_terminal=False),
    Column("committed", on_terminal=False),
)


class Command(OperatorCommand):
    """Shows the lag of each consumer group."""

    help = (
        "Show for each consumer group and partition how many messages are still to be read (lag), and how "
        "many of them are held back by an open transaction of the program that sent them (held). Elsewhere "
        "than on a terminal: whole lines, with tabs between the columns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--group", action="append", default=[], help="only this group; may be given more than once"
        )
        parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")

    def handle(self, *_: object, group: list[str], json: bool, **__: object) -> None:
        lags = read_lag({name: _topics(name) for name in group or {*GROUPS, *group_names()}})
        rows = [_row(lag) for lag in lags]
        if json:
            self.stdout.write(printable_json(msgspec.json.encode(rows).decode()))
        else:
            cells = [
                ["-" if (value := row[each.name]) is None else str(value) for each in _COLUMNS]
                for row in rows
            ]
            write_table(self.stdout, _COLUMNS, cells)


def _topics(group: str) -> list[str]:
    """The topics of one of our groups; empty for another group, whose topics follow from its commits."""
    return (
        [*GROUPS[group], *retry_topics(group, len(settings.RETRY_DELAYS_SECONDS))] if group in GROUPS else []
    )


def _row(lag: PartitionLag) -> dict[str, object]:
    return {**msgspec.structs.asdict(lag), "lag": lag.lag}
