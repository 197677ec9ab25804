"""The stock of the demo's shop: enough is received for its orders, and a little is left on the shelves."""

from collections.abc import Iterable, Mapping, Sequence

from config.demo.plan import dice_for
from products_app.documents.reading import Product
from products_app.selectors import find_products
from products_app.services.catalogue import update_product
from products_app.services.stock.stock_work import adjust_stock, receive_stock

_DELIVERIES = 4
_SCARCE = {"HOM-005": 2, "HOM-002": 0, "OUT-001": 3, "OFC-003": 4}
"""How many pieces of these products are left."""
_MOST_DAMAGED = 20
_FEWEST = 4


def products_for_sale(skus: Iterable[str]) -> list[Product]:
    """The products of the catalogue with these SKUs that are for sale, in their order."""
    wanted = set(skus)
    found = (each for each in find_products(include_inactive=False) if each.sku in wanted)
    return sorted(found, key=lambda product: product.sku)


def set_low_stock(products: Sequence[Product]) -> None:
    """Say of each product that does not say it when its stock is low."""
    for product in products:
        if not product.low_stock_at:
            update_product(product_id=product.id, low_stock_at=low_stock_of(product.stock))


def low_stock_of(stock: int) -> int:
    """Below how many pieces the stock of a product is low that usually has so many."""
    return max(_FEWEST, stock // 8)


def receive_for(products: Sequence[Product], needed: Mapping[str, int], *, actor: str) -> None:
    """Receive what the stock of these products lacks for this need (pieces by product id), in deliveries."""
    for product in products:
        if lacking := max(0, needed.get(product.id, 0) + _left_over(product) - product.stock):
            for number, pieces in enumerate(_parts(lacking), start=1):
                reason = f"Delivery {number} of {_DELIVERIES} from {product.brand}"
                receive_stock(product_id=product.id, quantity=pieces, reason=reason, actor=actor)


def leave_little(products: Sequence[Product], *, actor: str) -> None:
    """Write off what cancelled orders gave back of the products that are to be scarce."""
    for product in products:
        surplus = product.stock - _left_over(product)
        if product.sku in _SCARCE and 0 < surplus <= _MOST_DAMAGED:
            reason = "Damaged in the warehouse"
            adjust_stock(product_id=product.id, quantity=-surplus, reason=reason, actor=actor)


def _left_over(product: Product) -> int:
    usual = dice_for(product.sku).randint(20, 90)
    return _SCARCE.get(product.sku, usual)


def _parts(pieces: int) -> list[int]:
    """The pieces in at most so many parts as there are deliveries, none of them empty."""
    size, rest = divmod(pieces, _DELIVERIES)
    return [part for part in (size + (index < rest) for index in range(_DELIVERIES)) if part]
