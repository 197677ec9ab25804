"""`manage.py consumer_lag`."""

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from kafka_workers.runtime.broker.lag import PartitionLag, group_names, read_lag
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.workers import GROUPS


class Command(BaseCommand):
    """Shows the lag of each consumer group."""

    help = "Show for each consumer group and partition how many messages are still to be read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--group", action="append", default=[], help="only this group; may be given more than once"
        )
        parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")

    def handle(self, *_: object, group: list[str], json: bool, **__: object) -> None:
        try:
            lags = read_lag({name: _topics(name) for name in group or {*GROUPS, *group_names()}})
        except BrokerUnavailable as error:
            raise CommandError(str(error)) from error
        if json:
            self.stdout.write(msgspec.json.encode([_row(lag) for lag in lags]).decode())
        else:
            Console().print(_table(lags))


def _topics(group: str) -> list[str]:
    """The topics of one of our groups; empty for another group, whose topics follow from its commits."""
    return (
        [*GROUPS[group], *retry_topics(group, len(settings.RETRY_DELAYS_SECONDS))] if group in GROUPS else []
    )


def _row(lag: PartitionLag) -> dict[str, object]:
    return {**msgspec.structs.asdict(lag), "lag": lag.lag}


def _table(lags: list[PartitionLag]) -> Table:
    table = Table()
    for name in ("group", "topic", "partition", "start", "end", "committed", "lag"):
        table.add_column(name, overflow="fold")
    for lag in lags:
        table.add_row(*(str("-" if value is None else value) for value in _row(lag).values()))
    return table
