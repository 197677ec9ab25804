"""Single lines, as requests over HTTP reserve and release them."""

from typing import cast

from products_app.services.stock.service import (
    STOCK_REQUESTS,
    LineReleased,
    LineReserved,
    ReleaseLine,
    ReserveLine,
)


def reserve_line(*, order_id: str, product_id: str, quantity: int, key: str) -> LineReserved:
    """Reserves pieces of one product for an order; `key` is the service key that asks."""
    return cast("LineReserved", STOCK_REQUESTS.call(ReserveLine(order_id, product_id, quantity, key)))


def release_line(*, order_id: str, product_id: str, quantity: int, key: str) -> LineReleased:
    """Gives pieces back."""
    return cast("LineReleased", STOCK_REQUESTS.call(ReleaseLine(order_id, product_id, quantity, key)))
