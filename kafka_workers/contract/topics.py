"""The topics of Stockbridge by name: what each carries, who sends it, which groups read it (docs/topics.md).

Key of every message: the order id. Partitions, replication and retention are settings.
"""

from dataclasses import dataclass

from msgspec import Struct

from orders_app import messages as order_events
from products_app import messages as product_events

ORDERS = "/stockbridge/orders"
PRODUCTS = "/stockbridge/products"

INVENTORY_GROUP = "products-service-group"
ORDERS_GROUP = "orders-service-group"
GROUPS: dict[str, tuple[str, ...]] = {
    INVENTORY_GROUP: ("inventory.reserve", "inventory.release"),
    ORDERS_GROUP: ("inventory.reserved", "inventory.rejected", "inventory.released"),
}


@dataclass(frozen=True)
class BusinessTopic:
    """A topic of the contract: the structure of its value and the `ce_source` of its messages."""

    name: str
    value: type[Struct]
    source: str

    @property
    def schema(self) -> str:
        """The path that `ce_dataschema` gives for a value of this topic."""
        return f"/schemas/{self.name}/1"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of ours that read this topic."""
        return tuple(group for group, topics in GROUPS.items() if self.name in topics)


TOPIC_OF: dict[type[Struct], BusinessTopic] = {
    value: BusinessTopic(name, value, source)
    for topics, source in ((order_events.TOPICS, ORDERS), (product_events.TOPICS, PRODUCTS))
    for value, name in topics.items()
}
BUSINESS_TOPICS = tuple(TOPIC_OF.values())
