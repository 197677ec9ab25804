"""`manage.py run_analytics_consumer`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import ANALYTICS


class Command(WorkerCommand):
    worker = ANALYTICS
