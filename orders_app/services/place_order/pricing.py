"""The lines of an order at the catalogue's prices, their total, and the limits of both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from orders_app.document import OrderLine
from orders_app.exceptions import EmptyOrder, InactiveProducts, OrderTooLarge, UnknownProducts
from orders_app.services.place_order.request import ItemRequest
from products_app.selectors import OrderableProduct

CURRENCY = "USD"
MAX_PRODUCTS = 1_000
MAX_PIECES = 1_000_000
MAX_TOTAL = Decimal("999999999999.99")
CENT = Decimal("0.01")


def price_lines(
    items: Sequence[ItemRequest], products: Mapping[str, OrderableProduct]
) -> tuple[OrderLine, ...]:
    """The lines of the order, one for each product, in the order of the request.

    Raises EmptyOrder, UnknownProducts, InactiveProducts or OrderTooLarge.
    """
    if not items:
        raise EmptyOrder
    if unknown := sorted({item.product_id for item in items} - products.keys()):
        raise UnknownProducts(unknown)
    quantities: Counter[OrderableProduct] = Counter()
    for item in items:
        quantities[products[item.product_id]] += item.quantity
    if inactive := {product.product_id: product.name for product in quantities if not product.is_active}:
        raise InactiveProducts(list(inactive), list(inactive.values()))
    _check_size(quantities)
    return tuple(
        OrderLine(product.product_id, product.name, quantity, product.price.quantize(CENT))
        for product, quantity in quantities.items()
    )


def total_of(lines: Sequence[OrderLine]) -> Decimal:
    """The price of all pieces together. Raises OrderTooLarge."""
    total = sum((line.price * line.quantity for line in lines), Decimal("0.00"))
    if total > MAX_TOTAL:
        raise OrderTooLarge(f"{CURRENCY} in total", int(MAX_TOTAL))
    return total


def _check_size(quantities: Counter[OrderableProduct]) -> None:
    if len(quantities) > MAX_PRODUCTS:
        raise OrderTooLarge("different products", MAX_PRODUCTS)
    if max(quantities.values()) > MAX_PIECES:
        raise OrderTooLarge("pieces of one product", MAX_PIECES)
