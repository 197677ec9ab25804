"""`manage.py run_outbox_relay`."""

import threading

from foundation.worker_command import WorkerCommand
from kafka_workers.relay.leadership import READER
from kafka_workers.relay.outbox_relay import OutboxRelay
from kafka_workers.runtime.producing.producer import Producer


class Command(WorkerCommand):
    """Publishes the orders' log."""

    help = (
        "Publish what happens to orders: reads the log of order events in PostgreSQL on from the last "
        "position and sends the messages of each event to Kafka. Start as many as you like: one is "
        "active, the others take over within seconds when it ends. Waits while PostgreSQL or Kafka is "
        "away. SIGTERM: finishes its batch, exit 0."
    )

    def work(self, stop: threading.Event) -> None:
        """Relay until `stop` is set."""
        with Producer(READER) as producer:
            OutboxRelay(producer).run(stop)
