"""`manage.py run_lag_exporter`."""

from kafka_workers.management.worker_command import WorkerCommand
from kafka_workers.workers import LAG_EXPORTER


class Command(WorkerCommand):
    worker = LAG_EXPORTER
