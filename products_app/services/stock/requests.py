"""Requests to the stock service, and its answers to requests for a single line.

The answers to requests for a whole order are the facts in `products_app.messages`.
"""

from collections.abc import Sequence

from msgspec import Struct

from foundation.refusals import Refusal
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved


class Line(Struct, frozen=True):
    """A quantity of a product."""

    product_id: str
    quantity: int


class Reserve(Struct, frozen=True):
    """Reserve all lines for the order, or none. Lines of one product are summed.

    `is_external`: an external service asks for an order of its own.
    """

    order_id: str
    lines: tuple[Line, ...]
    is_external: bool = False

    def product_ids(self) -> Sequence[str]:
        """The products that the request names."""
        return [line.product_id for line in self.lines]


class Release(Struct, frozen=True):
    """Release everything that the order holds."""

    order_id: str

    def product_ids(self) -> Sequence[str]:
        """Empty: the ledger entry has the products."""
        return ()


class LineRequest(Struct, frozen=True):
    """The base of requests for one product of an order, by the service with this key."""

    order_id: str
    product_id: str
    quantity: int
    key: str

    def product_ids(self) -> Sequence[str]:
        """The product of the line."""
        return (self.product_id,)


class ReserveLine(LineRequest, frozen=True):
    """Reserve `quantity` pieces for the order."""


class ReleaseLine(LineRequest, frozen=True):
    """Release `quantity` pieces, or all that the order still holds if that is less."""


class LineReserved(Struct, frozen=True, rename="camel"):
    """The line is reserved; `newStock` is the stock right after."""

    product_id: str
    product_name: str
    reserved_quantity: int
    new_stock: int
    order_id: str


class LineReleased(Struct, frozen=True, rename="camel"):
    """`releasedQuantity` pieces were given back; `newStock` is the stock right after."""

    product_id: str
    product_name: str
    released_quantity: int
    new_stock: int
    order_id: str


StockRequest = Reserve | Release | ReserveLine | ReleaseLine
StockAnswer = (
    InventoryReserved | InventoryRejected | InventoryReleased | LineReserved | LineReleased | Refusal
)
