"""`manage.py archive_events`."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from rich.console import Console

from foundation.operator_command import OperatorCommand, number_argument
from foundation.printable import printable
from orders_app.event_log.archive import Partition, ended_partitions
from orders_app.services.archive_events import LogInUse, NotArchivable, archive_partition, check_partition


class Command(OperatorCommand):
    """Move old months of the order log to the archive."""

    help = (
        "Moves old months of the order log to the archive, while traffic runs. A month stays while one of "
        "its orders is not Delivered, Cancelled or deleted, while something has happened to them within a "
        "day, or while the relay has not read all of their events. Histories, the search and replay_orders "
        "read the archive too. Exit code 0, also when months stay; 1 when one could not be moved because "
        "the log was in use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `--older-than` and `--dry-run`."""
        parser.add_argument(
            "--older-than",
            type=number_argument(1, "days"),
            required=True,
            metavar="DAYS",
            help="only months that ended at least so many days ago",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be moved, move nothing")

    def handle(self, *, older_than: int, dry_run: bool, **_: Any) -> None:
        """Archive what can be archived; one line for each month that is old enough."""
        partitions = ended_partitions(_days_ago(older_than))
        in_use = [partition for partition in partitions if not self._archive(partition, dry_run)]
        if not partitions:
            self.stdout.write(f"No month of the log ended {older_than} days ago or earlier.")
        if in_use:
            raise CommandError(f"{len(in_use)} months were not moved because the log was in use. Try again.")

    def _archive(self, partition: Partition, dry_run: bool) -> bool:
        """Archive one partition and say what became of it; False where the log was in use."""
        described = printable(f"{partition.name} ({partition.size})")
        try:
            with _shown(described):
                (check_partition if dry_run else archive_partition)(partition=partition)
        except NotArchivable as error:
            self.stdout.write(f"{described} stays: {error}.")
        except LogInUse:
            self.stdout.write(f"{described} stays: the log was in use.")
            return False
        else:
            self.stdout.write(f"{described} {'would be' if dry_run else 'was'} moved to the archive.")
        return True


def _days_ago(days: int) -> datetime:
    try:
        return timezone.now() - timedelta(days=days)
    except OverflowError:
        raise CommandError(f"{days} days ago is before the first year.") from None


@contextmanager
def _shown(described: str) -> Iterator[None]:
    """What is being done, if standard error is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"Archiving {described}"):
        yield
