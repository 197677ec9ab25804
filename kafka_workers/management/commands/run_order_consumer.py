"""`manage.py run_order_consumer`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import ORDER


class Command(WorkerCommand):
    worker = ORDER
