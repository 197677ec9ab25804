"""`manage.py run_inventory_consumer`."""

import threading

from foundation.worker_command import WorkerCommand
from kafka_workers.consumers.inventory import INVENTORY_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run


class Command(WorkerCommand):
    """Settles requests about stock."""

    help = (
        "Take and give back stock: reads inventory.reserve and inventory.release (group products-service- "
        "group), settles them in MongoDB and sends the answers to inventory.reserved, .rejected and "
        ".released. Several share the partitions. Waits while MongoDB or Kafka is away. SIGTERM: finishes "
        "and commits its batch, exit 0. Exit 1, with the reason, when a flood of dead letters stops it."
    )

    def work(self, stop: threading.Event) -> None:
        """Consume until `stop` is set."""
        run(INVENTORY_CONSUMER, stop)
