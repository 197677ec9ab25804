"""`manage.py rebuild_analytics`."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from foundation.operator_command import OperatorCommand
from kafka_workers.consumers.analytics_topics import TopicsIncomplete, require_first_order, topic_slices
from orders_app.analytics.copies import RebuildUnderWay
from orders_app.analytics.facts import VersionedMessage
from orders_app.analytics.from_log import log_slices
from orders_app.analytics.other_senders import keep_orders_without_events
from orders_app.analytics.rebuild import Rebuilt, rebuild


class Command(OperatorCommand):
    """Makes the figures of analytics anew."""

    help = (
        "Make the figures of analytics anew, from the order log or from the topics, while everything runs. "
        "Queries see the figures of before until the new ones are complete; both ways give the same. The log "
        "does not have the orders of other senders: made from it, figures keep what is known of these. Exit "
        "code 1, with nothing changed, where the topics no longer reach back to the first event, and while "
        "another rebuild runs. After a kill, run it again. On a cluster with ACLs, --from kafka needs the "
        "user of run_analytics_consumer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `--from`."""
        parser.add_argument(
            "--from",
            dest="source",
            choices=("log", "kafka"),
            default="log",
            help="the order log with its archive (the default), or the topics on Kafka",
        )

    def handle(self, **options: Any) -> None:
        """Make the figures anew and say how many orders they are of."""
        started = time.monotonic()
        try:
            rebuilt = _from_log() if options["source"] == "log" else _from_topics()
        except TopicsIncomplete as error:
            raise CommandError(str(error)) from error
        except RebuildUnderWay as error:
            raise CommandError("Another rebuild runs. Nothing has changed.") from error
        seconds = time.monotonic() - started
        self.stdout.write(
            f"Figures of {rebuilt.orders} orders made anew from {rebuilt.messages} messages "
            f"in {seconds:.1f} s."
        )


def _from_log() -> Rebuilt:
    return rebuild(_with_progress(log_slices()), keep_orders_without_events)


def _from_topics() -> Rebuilt:
    return rebuild(_with_progress(topic_slices()), require_first_order)


def _with_progress(slices: Iterator[Sequence[VersionedMessage]]) -> Iterator[Sequence[VersionedMessage]]:
    """The slices, with the number of messages read so far if standard error is a terminal."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Messages", total=None)
        for each in slices:
            yield each
            progress.advance(task, len(each))
