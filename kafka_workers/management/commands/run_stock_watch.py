"""`manage.py run_stock_watch`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import STOCK_WATCH


class Command(WorkerCommand):
    worker = STOCK_WATCH
