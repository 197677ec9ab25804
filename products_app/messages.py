"""What the stock service answers, as it goes over Kafka (CONTRACT section 5).

Plain data: the wire form is JSON with camelCase names; unknown fields are ignored on the way in.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

OrderId = Annotated[str, Meta(min_length=1, max_length=64)]
# Without an upper bound, unlike a request's: lines of the same product are summed.
Quantity = Annotated[int, Meta(ge=1)]
StockLevel = Annotated[int, Meta(ge=0)]

RejectionCode = Literal["PRODUCT_NOT_FOUND", "PRODUCT_INACTIVE", "INSUFFICIENT_STOCK"]


class StockLine(Struct, frozen=True, rename="camel"):
    """One product of an answer; `new_stock` is what could still be sold right after this line."""

    product_id: str
    quantity: Quantity
    new_stock: StockLevel


class Shortage(Struct, frozen=True, rename="camel"):
    """Why one product could not be reserved; `available` is what could be sold at that moment."""

    product_id: str
    code: RejectionCode
    requested: Quantity
    available: StockLevel


class InventoryReserved(Struct, frozen=True, rename="camel"):
    """Every line of the order is held."""

    order_id: OrderId
    items: list[StockLine]


class InventoryRejected(Struct, frozen=True, rename="camel"):
    """Nothing of the order is held, and these lines are why."""

    order_id: OrderId
    failures: Annotated[list[Shortage], Meta(min_length=1)]


class InventoryReleased(Struct, frozen=True, rename="camel"):
    """The order holds nothing (any more); `items` is what was given back, empty where nothing was held."""

    order_id: OrderId
    items: list[StockLine]


TOPICS: dict[type[Struct], str] = {
    InventoryReserved: "inventory.reserved",
    InventoryRejected: "inventory.rejected",
    InventoryReleased: "inventory.released",
}
