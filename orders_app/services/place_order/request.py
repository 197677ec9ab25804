"""What a customer orders, and what they get for it."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from orders_app.document import OrderDocument, ShippingAddress
from orders_app.event_log import Origin
from orders_app.messages import ProductId, Quantity
from orders_app.state_machine import PaymentMethod

CustomerKey = tuple[int, str]
"""A customer and one of their idempotency keys: they identify a request that is sent again."""


class ItemRequest(Struct, frozen=True, rename="camel"):
    """One product that the customer wants."""

    product_id: ProductId
    quantity: Quantity


class PlacementRequest(Struct, frozen=True):
    """An order that a customer asks for; without an idempotency key (empty) it is never found again.

    With a payment token the order is charged as soon as its stock is reserved. With an expected total, what
    the customer was shown, the order is refused where it would cost something else.
    """

    user_id: int
    items: Sequence[ItemRequest]
    shipping_address: ShippingAddress
    payment_method: PaymentMethod
    idempotency_key: str
    origin: Origin
    payment_token: str = ""
    expected_total: Decimal | None = None

    def __repr__(self) -> str:
        """Without the token: a value may be shown with an error."""
        return f"PlacementRequest(user_id={self.user_id}, idempotency_key={self.idempotency_key!r})"

    @property
    def customer_key(self) -> CustomerKey:
        """The customer and the idempotency key."""
        return self.user_id, self.idempotency_key

    @property
    def hash(self) -> str:
        """The same for two requests for the same pieces of products, address and payment method.

        How the pieces are spread over lines, the order of the lines and the case of product ids do not count.
        Nor do the payment token, of which browsers make a new one for each try, and the expected total.
        """
        quantities: dict[str, int] = {}
        for item in self.items:
            product_id = item.product_id.lower()
            quantities[product_id] = quantities.get(product_id, 0) + item.quantity
        lines = [ItemRequest(*line) for line in sorted(quantities.items())]
        content = (lines, self.shipping_address, self.payment_method)
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


class Placement(Struct, frozen=True):
    """The order; `replayed` where an earlier request with the same idempotency key placed it."""

    order: OrderDocument
    replayed: bool


Outcome = Placement | Exception
"""The placement, or the reason why there is none."""
