"""`manage.py expire_holds`."""

import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from foundation.outage import DependencyUnavailable
from foundation.worker_command import WorkerCommand
from orders_app import hold_expiry


class Command(WorkerCommand):
    """Cancels orders that were not paid in time."""

    help = (
        "Cancel orders that wait for their money longer than HOLD_MINUTES, with a reason that the customer "
        "is told, so that their stock is for sale again; orders paid on delivery are left alone. Start as "
        "many as you like. Waits while PostgreSQL is away. SIGTERM: finishes its slice, exit 0."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` for a timer instead of a worker."""
        parser.add_argument("--once", action="store_true", help="cancel what is due now, say how many, end")

    def handle(self, **options: Any) -> None:
        """Run the worker, or a single pass."""
        if options["once"]:
            self._expire_once()
        else:
            super().handle(**options)

    def work(self, stop: threading.Event) -> None:
        """Expire holds until `stop` is set."""
        hold_expiry.run(stop)

    def _expire_once(self) -> None:
        try:
            expired = hold_expiry.expire_due(threading.Event())
        except DependencyUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{expired} orders cancelled that were not paid in time")
