"""`manage.py run_payment_consumer`."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import PAYMENT


class Command(WorkerCommand):
    """Runs the payment consumer."""

    worker = PAYMENT

    def handle(self, **options: Any) -> None:
        """Run it. Raises CommandError where no gateway is set."""
        if not settings.STRIPE_SECRET_KEY:
            raise CommandError(
                "STRIPE_SECRET_KEY is not set: without the key of an account at the payment gateway "
                "there is nothing to run (docs/settings.md)."
            )
        super().handle(**options)
