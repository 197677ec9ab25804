"""The messages that the order service sends over Kafka (docs/asyncapi.yaml): facts about orders, and commands
to the stock service and to the payment service.

On the wire a message is JSON with camelCase names; readers ignore unknown fields.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

OrderId = Annotated[str, Meta(min_length=1, max_length=64)]
ProductId = Annotated[str, Meta(min_length=1, max_length=64)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
MinorUnits = Annotated[int, Meta(ge=1, le=10**15)]
"""An amount in the smallest unit of its currency, as payment gateways count: 12.50 USD are 1250."""
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Items = Annotated[list["Item"], Meta(min_length=1, max_length=1000)]


class Item(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One line of an order, priced when it was placed; `category` only where the product had one then."""

    product_id: ProductId
    product_name: str
    quantity: Quantity
    price: Decimal
    category: str = ""


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
    """The status of an order changed; `reason` only if cancelled, `trackingNumber` only if it is shipped."""

    order_id: OrderId
    user_id: str
    order_number: str
    old_status: int
    new_status: int
    old_status_label: str
    new_status_label: str
    timestamp: datetime
    reason: str | UnsetType = UNSET
    tracking_number: str | UnsetType = UNSET
    stock_status: str | UnsetType = UNSET
    payment_status: int | UnsetType = UNSET


class OrderCancelled(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An order was cancelled. No further change of status follows. `code` tells the reason to programs."""

    order_id: OrderId
    user_id: str
    order_number: str
    total_amount: Decimal
    items: Items
    reason: str
    cancelled_at: datetime
    code: str | UnsetType = UNSET
    # Those that could not be reserved, where that is the reason.
    rejected_products: tuple[str, ...] = ()


class OrderCompleted(Struct, frozen=True, rename="camel"):
    """An order was delivered. No further change of status follows."""

    order_id: OrderId
    user_id: str
    order_number: str
    total_amount: Decimal
    items: Items
    delivered_at: datetime


class OrderUpdated(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Stock or money of an order changed, and no `order.status.changed` of the same moment tells it."""

    order_id: OrderId
    user_id: str
    order_number: str
    timestamp: datetime
    # What is left out has not changed; the refunded amount is all that has gone back.
    stock_status: str | UnsetType = UNSET
    payment_status: int | UnsetType = UNSET
    refunded_amount: Decimal | UnsetType = UNSET


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


class PaymentRequested(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Charge the token of this attempt; with `paymentId`, look up what became of that payment."""

    order_id: OrderId
    user_id: str
    order_number: str
    amount: MinorUnits
    currency: str
    attempt: Number
    timestamp: datetime
    payment_id: str | UnsetType = UNSET


class PaymentRefundRequested(Struct, frozen=True, rename="camel"):
    """Give back this amount of this payment; the number `refund` identifies the refund within its order."""

    order_id: OrderId
    user_id: str
    order_number: str
    amount: MinorUnits
    currency: str
    attempt: Number
    payment_id: str
    refund: Number
    reason: str
    timestamp: datetime


OrderMessage = (
    OrderCreated
    | OrderStatusChanged
    | OrderCancelled
    | OrderCompleted
    | OrderUpdated
    | InventoryReserve
    | InventoryRelease
    | PaymentRequested
    | PaymentRefundRequested
)
"""The value of any message that the order service sends."""

TOPICS: dict[type[Struct], str] = {
    OrderCreated: "order.created",
    OrderStatusChanged: "order.status.changed",
    OrderCancelled: "order.cancelled",
    OrderCompleted: "order.completed",
    OrderUpdated: "order.updated",
    InventoryReserve: "inventory.reserve",
    InventoryRelease: "inventory.release",
    PaymentRequested: "payment.requested",
    PaymentRefundRequested: "payment.refund.requested",
}
