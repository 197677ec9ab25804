"""The answers of the stock service, and what the stock watch tells, as Kafka messages (docs/asyncapi.yaml).

On the wire a message is JSON with camelCase names; readers ignore unknown fields.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

OrderId = Annotated[str, Meta(min_length=1, max_length=64)]
# Unlike the quantity in a request, it has no upper bound: lines of the same product are summed.
Quantity = Annotated[int, Meta(ge=1)]
StockLevel = Annotated[int, Meta(ge=0)]

RejectionCode = Literal["PRODUCT_NOT_FOUND", "PRODUCT_INACTIVE", "INSUFFICIENT_STOCK"]


class StockLine(Struct, frozen=True, rename="camel"):
    """One product of an answer; `new_stock` is its stock right after this line."""

    product_id: str
    quantity: Quantity
    new_stock: StockLevel


class Shortage(Struct, frozen=True, rename="camel"):
    """Why one product could not be reserved; `available` is the stock at that moment."""

    product_id: str
    code: RejectionCode
    requested: Quantity
    available: StockLevel


class InventoryReserved(Struct, frozen=True, rename="camel"):
    """All lines of the order are reserved."""

    order_id: OrderId
    items: list[StockLine]


class InventoryRejected(Struct, frozen=True, rename="camel"):
    """No line of the order is reserved; `failures` has the lines that could not be."""

    order_id: OrderId
    failures: Annotated[list[Shortage], Meta(min_length=1)]


class InventoryReleased(Struct, frozen=True, rename="camel"):
    """The order holds nothing; `items` has the pieces that were given back, and may be empty."""

    order_id: OrderId
    items: list[StockLine]


class InventoryLow(Struct, frozen=True, rename="camel"):
    """The stock of a product has fallen below its `lowStockAt`: told once each time it falls."""

    product_id: str
    product_name: str
    stock: StockLevel
    low_stock_at: Annotated[int, Meta(ge=1)]
    timestamp: Annotated[datetime, Meta(tz=True)]


TOPICS: dict[type[Struct], str] = {
    InventoryReserved: "inventory.reserved",
    InventoryRejected: "inventory.rejected",
    InventoryReleased: "inventory.released",
    InventoryLow: "inventory.low",
}
