"""`manage.py run_order_consumer`."""

import threading

from foundation.worker_command import WorkerCommand
from kafka_workers.consumers.orders import ORDER_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run


class Command(WorkerCommand):
    """Records the answers of the stock service."""

    help = (
        "Tell the orders what became of their stock: reads inventory.reserved, .rejected and .released "
        "(group orders-service-group) and confirms or cancels the orders in PostgreSQL. Several share the "
        "partitions. Waits while PostgreSQL or Kafka is away. SIGTERM: finishes and commits its batch, "
        "exit 0. Exit 1, with the reason, when a flood of dead letters stops it."
    )

    def work(self, stop: threading.Event) -> None:
        """Consume until `stop` is set."""
        run(ORDER_CONSUMER, stop)
