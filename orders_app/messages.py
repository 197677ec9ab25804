"""The messages that the order service sends over Kafka (docs/asyncapi.yaml): facts about orders, and commands
to the stock service.

On the wire a message is JSON with camelCase names; readers ignore unknown fields.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

OrderId = Annotated[str, Meta(min_length=1, max_length=64)]
ProductId = Annotated[str, Meta(min_length=1, max_length=64)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Items = Annotated[list["Item"], Meta(min_length=1, max_length=1000)]


class Item(Struct, frozen=True, rename="camel"):
    """One line of an order, priced when it was placed."""

    product_id: ProductId
    product_name: str
    quantity: Quantity
    price: Decimal


class ReturnedItem(Struct, frozen=True, rename="camel"):
    """One line of a release."""

    product_id: ProductId
    product_name: str
    quantity: Quantity


class OrderCreated(Struct, frozen=True, rename="camel"):
    """A customer placed an order."""

    order_id: OrderId
    user_id: str
    order_number: str
    total_amount: Decimal
    currency: str
    items: Items
    payment_method: int
    created_at: datetime


class OrderStatusChanged(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The status of an order changed; `reason` is present only for a cancellation."""

    order_id: OrderId
    user_id: str
    order_number: str
    old_status: int
    new_status: int
    old_status_label: str
    new_status_label: str
    timestamp: datetime
    reason: str | UnsetType = UNSET


class OrderCancelled(Struct, frozen=True, rename="camel"):
    """An order was cancelled. No further change of status follows."""

    order_id: OrderId
    user_id: str
    order_number: str
    total_amount: Decimal
    items: Items
    reason: str
    cancelled_at: datetime


class OrderCompleted(Struct, frozen=True, rename="camel"):
    """An order was delivered. No further change of status follows."""

    order_id: OrderId
    user_id: str
    order_number: str
    total_amount: Decimal
    items: Items
    delivered_at: datetime


class InventoryReserve(Struct, frozen=True, rename="camel"):
    """Reserve the stock of all lines of the order, or of none."""

    order_id: OrderId
    order_number: str
    items: Items
    timestamp: datetime


class InventoryRelease(Struct, frozen=True, rename="camel"):
    """Release everything that the order holds."""

    order_id: OrderId
    order_number: str
    reason: str
    items: Annotated[list[ReturnedItem], Meta(min_length=1, max_length=1000)]
    timestamp: datetime


OrderMessage = (
    OrderCreated | OrderStatusChanged | OrderCancelled | OrderCompleted | InventoryReserve | InventoryRelease
)
"""The value of any message that the order service sends."""

TOPICS: dict[type[Struct], str] = {
    OrderCreated: "order.created",
    OrderStatusChanged: "order.status.changed",
    OrderCancelled: "order.cancelled",
    OrderCompleted: "order.completed",
    InventoryReserve: "inventory.reserve",
    InventoryRelease: "inventory.release",
}
