"""The topics by name: what each carries, which workers send it and read it (docs/topics.md).

Key of every message: the order id. Partitions, replication and retention are settings.
"""

from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct

from kafka_workers.workers import CONSUMERS, WORKERS, Consumer, Worker
from orders_app import messages as order_messages
from orders_app.payments import messages as payment_messages
from products_app import messages as product_messages

ORDERS = "/stockbridge/orders"
PRODUCTS = "/stockbridge/products"
PAYMENTS = "/stockbridge/payments"


@dataclass(frozen=True)
class BusinessTopic:
    """A topic of the contract: the structure of its value and the `ce_source` of its messages."""

    name: str
    value: type[Struct]
    source: str

    @cached_property
    def schema(self) -> str:
        """The path that `ce_dataschema` gives for a value of this topic."""
        return f"/schemas/{self.name}/1"

    @property
    def senders(self) -> tuple[Worker, ...]:
        """The workers that send to this topic."""
        return tuple(worker for worker in WORKERS if self.name in worker.sends)

    @property
    def readers(self) -> tuple[Consumer, ...]:
        """The workers that read this topic."""
        return tuple(consumer for consumer in CONSUMERS if self.name in consumer.reads)


TOPIC_OF: dict[type[Struct], BusinessTopic] = {
    value: BusinessTopic(name, value, source)
    for topics, source in (
        (order_messages.TOPICS, ORDERS),
        (product_messages.TOPICS, PRODUCTS),
        (payment_messages.TOPICS, PAYMENTS),
    )
    for value, name in topics.items()
}
BUSINESS_TOPICS = tuple(TOPIC_OF.values())
