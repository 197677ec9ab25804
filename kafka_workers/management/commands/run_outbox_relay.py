"""`manage.py run_outbox_relay`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import RELAY


class Command(WorkerCommand):
    worker = RELAY
