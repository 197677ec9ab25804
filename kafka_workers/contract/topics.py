"""The topics by name: what each carries, which workers send it and read it (docs/topics.md).

Partitions, replication and retention are settings.
"""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from msgspec import Struct

from kafka_workers.contract import registered_schemas
from kafka_workers.workers import CONSUMERS, WORKERS, Consumer, Worker
from orders_app import messages as order_messages
from orders_app.payments import messages as payment_messages
from products_app import messages as product_messages

ORDERS = "/stockbridge/orders"
PRODUCTS = "/stockbridge/products"
PAYMENTS = "/stockbridge/payments"

SCHEMAS_PATH = "/api/schemas/"
SCHEMA_VERSION = 1
"""Of every type. A change that `check_schemas` names is a new message type, not a new version (ADR 36)."""


@dataclass(frozen=True)
class BusinessTopic:
    """A topic of the contract: the structure of its value and the `ce_source` of its messages."""

    name: str
    value: type[Struct]
    source: str

    @cached_property
    def schema_name(self) -> str:
        """The type and version of the value's schema, such as `order.created.v1`."""
        return f"{self.name}.v{SCHEMA_VERSION}"

    @cached_property
    def schema_path(self) -> str:
        """Where the web processes serve the schema."""
        return f"{SCHEMAS_PATH}{self.schema_name}.json"

    @cached_property
    def data_schema(self) -> str:
        """The `ce_dataschema` of a message; without PUBLIC_URL the path alone."""
        # Cached, as every message has it: reading the setting takes ten times as long.
        return settings.PUBLIC_URL + self.schema_path

    @property
    def schema_id(self) -> bytes | None:
        """What identifies the schema in the schema registry; None while it is not registered there."""
        return registered_schemas.id_of(self.name)

    @property
    def key(self) -> str:
        """The field of the value that is the key of its messages."""
        return "orderId" if "order_id" in self.value.__struct_fields__ else "productId"

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
