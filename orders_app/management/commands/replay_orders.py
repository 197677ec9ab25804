"""`manage.py replay_orders`."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from msgspec import DecodeError
from rich.console import Console
from rich.progress import track

from foundation.operator_command import OperatorCommand
from foundation.printable import printable
from orders_app.exceptions import BrokenHistory
from orders_app.models import Order
from orders_app.services.replay_orders import ComparedSlice, Difference, compare_slices, rewrite_order

SLICE_ORDERS = 500


class Command(OperatorCommand):
    """Rebuild each order from its events in the log and compare it with its row."""

    help = (
        "Rebuilds each order from its events in the log and compares it with its row, while traffic runs. "
        "Prints every difference. Exit code 0 when all are equal, or were made so by --rebuild, else 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `--rebuild`."""
        parser.add_argument(
            "--rebuild", action="store_true", help="rewrite the rows that differ from the events"
        )

    def handle(self, **options: Any) -> None:
        """Compare all orders, print the differences, and rewrite the rows with `--rebuild`."""
        checked, different, rewritten = 0, 0, 0
        for compared in _slices_with_progress():
            checked += len(compared.order_ids)
            for difference in compared.differences:
                self.stdout.write(printable(_describe(difference)))
            differing = {difference.order_id for difference in compared.differences}
            different += len(differing)
            if options["rebuild"]:
                rewritten += sum(map(self._rewrite, sorted(differing)))
        self.stdout.write(f"{checked} orders checked, {different} differ, {rewritten} rewritten.")
        if different > rewritten:
            raise CommandError(f"{different - rewritten} orders differ from their events.")

    def _rewrite(self, order_id: UUID) -> bool:
        try:
            rewrite_order(order_id)
        except (BrokenHistory, DecodeError) as error:
            self.stdout.write(printable(f"{order_id} cannot be rewritten: {error}"))
            return False
        return True


def _slices_with_progress() -> Iterator[ComparedSlice]:
    """The compared slices, with a progress bar if standard error is a terminal."""
    console = Console(stderr=True)
    expected = -(-Order.objects.count() // SLICE_ORDERS)
    yield from track(
        compare_slices(SLICE_ORDERS),
        "Replaying orders",
        total=expected,
        console=console,
        disable=not console.is_terminal,
    )


def _describe(difference: Difference) -> str:
    return (
        f"{difference.order_id} {difference.field}: "
        f"the row has {difference.row!r}, the events tell {difference.log!r}"
    )
