"""`manage.py resend_events`."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand, time_argument
from kafka_workers.relay.resending import RelayRuns, resend_events


class Command(OperatorCommand):
    """Has the relay send the messages of events again."""

    help = (
        "After a restore of MongoDB or the loss of Kafka: the next relay sends the messages of all events "
        "since a time once more, in their order. Consumers know repetitions, so an earlier time than needed "
        "only takes longer. No relay may run meanwhile (docs/backup.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `--since`."""
        parser.add_argument(
            "--since",
            type=time_argument,
            required=True,
            metavar="TIME",
            help="events from this time on; UTC unless it names a time zone",
        )

    def handle(self, *, since: datetime, **_: Any) -> None:
        """Set the relay back. Raises CommandError while a relay runs."""
        try:
            events = resend_events(since)
        except RelayRuns as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{events} events are sent when a relay starts.")
