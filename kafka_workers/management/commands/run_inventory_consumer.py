"""`manage.py run_inventory_consumer`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import INVENTORY


class Command(WorkerCommand):
    worker = INVENTORY
