"""`manage.py run_payment_consumer`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import PAYMENT


class Command(WorkerCommand):
    worker = PAYMENT
