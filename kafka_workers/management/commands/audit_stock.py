"""`manage.py audit_stock`."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError
from rich.console import Console
from rich.progress import Progress

from foundation.operator_command import OperatorCommand, seconds_argument
from foundation.printable import printable, printable_json
from kafka_workers.audit.auditing import Progress as ReportProgress
from kafka_workers.audit.auditing import RepairInProgress, audit
from kafka_workers.audit.report import AuditReport
from kafka_workers.audit.unknown_orders import ForeignLedger
from orders_app.models import Order
from products_app.exceptions import CatalogueUnavailable
from products_app.services.stock.audit import count_entries

GRACE_SECONDS = 30.0
IDS_SHOWN = 10
NOT_AUDITED = 2


class Command(OperatorCommand):
    """Compares stock, ledger and orders while traffic runs."""

    help = (
        "For every product: is its stock what was received, the sum of its movements, less what the ledger "
        "holds? For every order: does the ledger hold what the order counts on? For every entry that holds "
        "stock: is there such an order? Runs during traffic, and waits for messages in flight. Prints every "
        "difference with how to repair it. Exit code 0 when nothing differs or all was "
        "repaired, 1 when something differs, 2 when the audit could not run."
    )

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the command line takes."""
        parser.add_argument(
            "--repair", action="store_true", help="repair what is safe to repair; each repair is logged"
        )
        parser.add_argument(
            "--grace",
            type=seconds_argument,
            default=GRACE_SECONDS,
            metavar="SECONDS",
            help="how long to wait for messages in flight; orders that differ while there are "
            f"still some count as in flight, not as different (default {GRACE_SECONDS:.0f})",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *, repair: bool, grace: float, json: bool, **_: Any) -> None:
        """Audit, and print the report."""
        try:
            with _progress_bars() as progress:
                report = audit(grace=grace, repair=repair, progress=progress)
        except (RepairInProgress, ForeignLedger) as error:
            raise CommandError(str(error), returncode=NOT_AUDITED) from error
        except (CatalogueUnavailable, OperationalError, InterfaceError) as error:
            raise CommandError(f"a server is unavailable: {error}", returncode=NOT_AUDITED) from error
        self._print_json(report) if json else self._print(report)
        if report.unrepaired:
            raise CommandError(f"{report.unrepaired} differences, {report.drift_pieces} pieces of drift.")

    def _print_json(self, report: AuditReport) -> None:
        self.stdout.write(printable_json(msgspec.json.format(msgspec.json.encode(report)).decode()))

    def _print(self, report: AuditReport) -> None:
        for difference in report.differences:
            self.stdout.write(printable(str(difference)))
        if report.uncounted:
            self.stdout.write(
                _describe("Not counted yet, until something of them is reserved", report.uncounted)
            )
        if report.unrecorded:
            self.stdout.write(
                _describe("Without movements, until create_collections records them", report.unrecorded)
            )
        if report.without_stock:
            self.stdout.write(_describe("Shipped without their stock, by override", report.without_stock))
        in_flight = f", {report.in_flight} orders in flight" if report.in_flight else ""
        waiting = f" ({report.waiting_for})" if report.waiting_for else ""
        self.stdout.write(
            f"{report.products} products, {report.entries} ledger entries and {report.orders} orders audited"
            f"{in_flight}{waiting}, {len(report.differences)} differences, "
            f"{len(report.differences) - report.unrepaired} repaired."
        )


def _describe(fact: str, ids: Sequence[str]) -> str:
    more = f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else ""
    return printable(f"{fact}: {', '.join(ids[:IDS_SHOWN])}{more}.")


@contextmanager
def _progress_bars() -> Iterator[ReportProgress]:
    """Two progress bars on a terminal's standard error."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bars:
        tasks = {
            "entries": bars.add_task("ledger entries", total=count_entries()),
            "orders": bars.add_task("orders", total=Order.objects.count()),
        }
        yield lambda what, number: bars.update(tasks[what], completed=number)
