"""The cart of a visitor: which products, and how many of each. It is kept in the session.

Signing in and registering keep the session's content, and with it the cart; signing out ends both.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orders_app.api.shapes import MAXIMUM_ITEMS
from orders_app.document import OrderLine

MAX_QUANTITY = 9_999
"""Of one product in a cart; the API takes more."""
MAX_FORM_KEYS = 20
_CART = "cart"


class CartFull(Exception):
    """The cart has as many products as an order may have."""


class Cart:
    """The cart of this session. Each change is stored with the response."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session
        self._content: dict[str, Any] = session.get(_CART) or {
            "quantities": {},
            "prices": {},
            "form_keys": [],
        }

    @property
    def quantities(self) -> Mapping[str, int]:
        """The pieces by product id, in the order in which the products were added."""
        quantities: dict[str, int] = self._content["quantities"]
        return quantities

    @property
    def prices(self) -> Mapping[str, str]:
        """The price of a piece, as a decimal, when the product was added, by product id."""
        prices: dict[str, str] = self._content["prices"]
        return prices

    @property
    def pieces(self) -> int:
        """How many pieces are in the cart."""
        return sum(self.quantities.values())

    def add(self, product_id: str, *, quantity: int, price: str, form_key: str = "") -> None:
        """Add pieces at the price that the visitor has seen.

        A form that is sent again, which its key shows, adds nothing more. Raises CartFull.
        """
        if form_key and form_key in self._content["form_keys"]:
            return
        if product_id not in self.quantities and len(self.quantities) >= MAXIMUM_ITEMS:
            raise CartFull
        wanted = self.quantities.get(product_id, 0) + quantity
        self._content["quantities"][product_id] = min(wanted, MAX_QUANTITY)
        self._content["prices"].setdefault(product_id, price)
        self._content["form_keys"] = [*self._content["form_keys"], *filter(None, [form_key])][-MAX_FORM_KEYS:]
        self._store()

    def change(self, product_id: str, quantity: int) -> None:
        """Have so many pieces of a product that is in the cart; with 0 it is taken out."""
        if product_id not in self.quantities:
            return
        self._content["quantities"][product_id] = min(quantity, MAX_QUANTITY)
        if quantity <= 0:
            del self._content["quantities"][product_id]
            self._content["prices"].pop(product_id, None)
        self._store()

    @property
    def order_key(self) -> str:
        """The key of the next order of this cart; it stays until that order is known to be placed.

        So an order whose answer was lost is found again, from whichever page the customer goes on.
        """
        if "order_key" not in self._content:
            self._content["order_key"] = uuid4().hex
            self._store()
        return str(self._content["order_key"])

    def take_out_ordered(self, lines: Sequence[OrderLine], order_key: str) -> bool:
        """After an order was placed with this key: take out its lines, and have another key for the next.

        A product of which the cart has another quantity by now stays. Does nothing, and returns False, where
        the order was taken out before.
        """
        if self._content.get("order_key") != order_key:
            return False
        for line in lines:
            if self.quantities.get(line.product_id) == line.quantity:
                self.change(line.product_id, 0)
        del self._content["order_key"]
        self._store()
        return True

    def _store(self) -> None:
        self._session[_CART] = self._content


def cart_pieces(request: HttpRequest) -> dict[str, Any]:
    """Context processor: how many pieces are in the cart, read where a template shows it."""
    return {"cart_pieces": SimpleLazyObject(lambda: Cart(request.session).pieces)}
