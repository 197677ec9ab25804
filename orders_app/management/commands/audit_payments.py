"""`manage.py audit_payments`."""

from argparse import ArgumentParser
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError

from foundation.operator_command import OperatorCommand
from foundation.printable import printable, printable_json
from orders_app.payments.audit.auditing import ForeignBooks, PaymentReport, audit_payments
from orders_app.payments.audit.repair import RepairInProgress
from orders_app.payments.gateway import AnswerMissing, GatewayUnavailable

NOT_AUDITED = 2


class Command(OperatorCommand):
    """Compares the gateway's books with the orders while payments are under way."""

    help = (
        "For every payment at the gateway: does it belong to an order that is confirmed with it, or did it "
        "go back? For every paid order: did the gateway take the money? Runs during traffic; orders whose "
        "money is on its way are not judged. Prints every difference with what to do about it. Exit code 0 "
        "when nothing differs or all was repaired, 1 when something differs, 2 when the audit could not run."
    )

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the command line takes."""
        parser.add_argument(
            "--repair", action="store_true", help="give back what must go back; each repair is logged"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *, repair: bool, json: bool, **_: Any) -> None:
        """Audit, and print the report."""
        if not settings.STRIPE_SECRET_KEY:
            raise CommandError("STRIPE_SECRET_KEY is not set: there is no gateway.", returncode=NOT_AUDITED)
        try:
            report = audit_payments(repair=repair)
        except (RepairInProgress, ForeignBooks) as error:
            raise CommandError(f"{error}.", returncode=NOT_AUDITED) from error
        except (GatewayUnavailable, AnswerMissing, OperationalError, InterfaceError) as error:
            raise CommandError(f"a server is unavailable: {error}", returncode=NOT_AUDITED) from error
        self._print_json(report) if json else self._print(report)
        if report.unrepaired:
            raise CommandError(f"{report.unrepaired} differences.")

    def _print_json(self, report: PaymentReport) -> None:
        self.stdout.write(printable_json(msgspec.json.format(msgspec.json.encode(report)).decode()))

    def _print(self, report: PaymentReport) -> None:
        for difference in report.differences:
            self.stdout.write(printable(str(difference)))
        on_their_way = f", {report.on_their_way} orders with money on its way" if report.on_their_way else ""
        self.stdout.write(
            f"{report.payments} payments and {report.orders} paid orders audited{on_their_way}, "
            f"{len(report.differences)} differences, {len(report.differences) - report.unrepaired} repaired."
        )
