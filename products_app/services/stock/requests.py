"""What the stock service is asked, and what it answers to requests for one line.

The answers to requests for a whole order are the facts of `products_app.messages`.
"""

from collections.abc import Sequence

from msgspec import Struct

from products_app.exceptions import Refusal
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved


class Line(Struct, frozen=True):
    """So many pieces of a product."""

    product_id: str
    quantity: int


class Reserve(Struct, frozen=True):
    """Take all lines for the order, or nothing. Lines of one product are summed."""

    order_id: str
    lines: tuple[Line, ...]

    def product_ids(self) -> Sequence[str]:
        """The products it names."""
        return [line.product_id for line in self.lines]


class Release(Struct, frozen=True):
    """Give back whatever the order holds."""

    order_id: str

    def product_ids(self) -> Sequence[str]:
        """None: the ledger knows them."""
        return ()


class LineRequest(Struct, frozen=True):
    """Something about one product of an order."""

    order_id: str
    product_id: str
    quantity: int

    def product_ids(self) -> Sequence[str]:
        """The one product."""
        return (self.product_id,)


class ReserveLine(LineRequest, frozen=True):
    """Take so many pieces for the order."""


class ReleaseLine(LineRequest, frozen=True):
    """Give back so many pieces, or what the order still holds if that is less."""


class LineReserved(Struct, frozen=True, rename="camel"):
    """The order has got the line; `new_stock` is what could still be sold right after."""

    product_id: str
    product_name: str
    reserved_quantity: int
    new_stock: int
    order_id: str


class LineReleased(Struct, frozen=True, rename="camel"):
    """So much of the line was given back; `new_stock` is what could be sold right after."""

    product_id: str
    product_name: str
    released_quantity: int
    new_stock: int
    order_id: str


StockRequest = Reserve | Release | ReserveLine | ReleaseLine
StockAnswer = (
    InventoryReserved | InventoryRejected | InventoryReleased | LineReserved | LineReleased | Refusal
)
