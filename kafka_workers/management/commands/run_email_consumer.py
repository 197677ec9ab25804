"""`manage.py run_email_consumer`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import EMAIL


class Command(WorkerCommand):
    worker = EMAIL
