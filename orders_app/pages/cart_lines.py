"""The lines of a cart, with name, price and stock as the catalogue has them now."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec
from django.conf import settings
from msgspec import Struct

from orders_app.money import from_minor_units
from orders_app.pages.cart import Cart
from products_app.selectors import Product, find_products_by_id


class Obstacle(StrEnum):
    """Why a line cannot be ordered as it is."""

    GONE = "gone"
    SOLD_OUT = "sold_out"
    SHORT = "short"


class Line(Struct, frozen=True):
    """A product in a cart; `product` is None where the catalogue has none with this id any more.

    `earlier_price` is the price when the product was put into the cart, where it is another one now.
    """

    product_id: str
    quantity: int
    product: Product | None
    earlier_price: Decimal | None

    @property
    def obstacle(self) -> Obstacle | None:
        """Why the line cannot be ordered as it is; None where it can."""
        if self.product is None or not self.product.is_active:
            return Obstacle.GONE
        if not self.product.in_stock:
            return Obstacle.SOLD_OUT
        return Obstacle.SHORT if self.product.stock < self.quantity else None

    @property
    def is_for_sale(self) -> bool:
        """Whether the product is sold at present, in stock or not."""
        return self.product is not None and self.product.is_active

    @property
    def amount(self) -> Decimal:
        """The price of all its pieces; nothing for a product that is not for sale."""
        return self.product.price * self.quantity if self.product and self.is_for_sale else Decimal(0)


class CartContent(Struct, frozen=True):
    """All lines of a cart."""

    lines: Sequence[Line]

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.amount for line in self.lines), from_minor_units(0, settings.CURRENCY))

    @property
    def currency(self) -> str:
        """The currency of all prices."""
        return settings.CURRENCY

    @property
    def pieces(self) -> int:
        """How many pieces are in the cart."""
        return sum(line.quantity for line in self.lines)

    @property
    def obstacles(self) -> Sequence[Line]:
        """The lines that cannot be ordered as they are."""
        return [line for line in self.lines if line.obstacle]

    @property
    def digest(self) -> str:
        """Changes with the products, quantities and prices: it tells whether a form is about this content."""
        content = [(line.product_id, line.quantity, line.amount) for line in self.lines]
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]


def read_cart(cart: Cart) -> CartContent:
    """The content of the cart as of now. Raises the catalogue's error while that is unavailable."""
    products = find_products_by_id(cart.quantities) if cart.quantities else {}
    return CartContent(
        [
            _line(product_id, quantity, products.get(product_id), cart.prices.get(product_id, ""))
            for product_id, quantity in cart.quantities.items()
        ]
    )


def _line(product_id: str, quantity: int, product: Product | None, seen: str) -> Line:
    price = Decimal(seen) if seen else None
    is_other = product is not None and price is not None and product.price != price
    return Line(product_id, quantity, product, price if is_other else None)
