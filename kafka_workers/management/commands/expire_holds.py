"""`manage.py expire_holds`."""

import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from foundation.outage import DependencyUnavailable
from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import HOLDS
from orders_app import hold_expiry
from orders_app.housekeeping import keep_house


class Command(WorkerCommand):
    worker = HOLDS

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` for a timer instead of a worker."""
        parser.add_argument("--once", action="store_true", help="do what is due now, say how much, end")

    def handle(self, **options: Any) -> None:
        """Run the worker, or a single pass."""
        if options["once"]:
            self._expire_once()
        else:
            super().handle(**options)

    def _expire_once(self) -> None:
        try:
            expired = hold_expiry.expire_due(threading.Event())
            deleted = keep_house(threading.Event())
        except DependencyUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{expired} orders cancelled that were not paid in time")
        for kind, number in deleted.items():
            if number:
                self.stdout.write(f"{number} expired rows deleted: {kind}")
