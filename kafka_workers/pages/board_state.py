"""The state that the board shows: the same for all who look, found out anew every few seconds."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from foundation.kept import Kept
from kafka_workers.audit.look import looks_for_board
from kafka_workers.models import LastAudit
from kafka_workers.pages.health import Health, find_health
from orders_app.board_figures import (
    PlacedOrders,
    StatusCounts,
    Waiting,
    count_by_status,
    count_placed,
    count_waiting,
    recent_orders,
)
from orders_app.models import Order
from products_app.exceptions import CatalogueUnavailable
from products_app.selectors import Product, ProductCriteria, find_products
from web.bounded_count import Count

STATE_SECONDS = 2.0
SCARCE_PRODUCTS = 8
COUNTED_PRODUCTS = 1_000


class Drift(Struct, frozen=True):
    """By how many pieces stock and ledger differed when they were compared last."""

    pieces: int
    at: datetime


class ScarceStock(Struct, frozen=True):
    """Products for sale that are sold out or low, the least stock first, and how many there are of each."""

    products: Sequence[Product]
    sold_out: Count
    low: Count


class BoardState(NamedTuple):
    """All that the board shows. `scarce` is None while the catalogue cannot be read, `drift` before the stock
    was looked at once.
    """

    counts: StatusCounts
    placed: PlacedOrders
    waiting: Sequence[Waiting]
    orders: Sequence[Order]
    health: Health
    drift: Drift | None
    scarce: ScarceStock | None


def find_board_state() -> BoardState:
    """The state now, by a fixed number of statements. Raises the errors of the database."""
    counts = count_by_status()
    return BoardState(
        counts=counts,
        placed=count_placed(counts.as_of),
        waiting=count_waiting(),
        orders=list(recent_orders()),
        health=find_health(),
        drift=_last_drift(),
        scarce=_scarce_stock(),
    )


board_state = Kept(find_board_state, seconds=STATE_SECONDS)


def _last_drift() -> Drift | None:
    look, audit = looks_for_board.last(), LastAudit.objects.first()
    found = [Drift(look.drift_pieces, look.looked_at)] if look else []
    found += [Drift(audit.drift_pieces, audit.audited_at)] if audit else []
    return max(found, key=lambda each: each.at, default=None)


def _scarce_stock() -> ScarceStock | None:
    try:
        sold_out, number_sold_out = _least_stock({"in_stock": False, "ordering": "stock"})
        low, number_low = _least_stock({"low_stock": True, "ordering": "stock"})
    except CatalogueUnavailable:
        return None
    products = {product.id: product for product in (*sold_out, *low)}
    least = sorted(products.values(), key=lambda product: (product.stock, product.name))
    return ScarceStock(least[:SCARCE_PRODUCTS], number_sold_out, number_low)


def _least_stock(criteria: ProductCriteria) -> tuple[Sequence[Product], Count]:
    found = find_products(include_inactive=False, **criteria)
    products = found[0:SCARCE_PRODUCTS]
    if len(products) < SCARCE_PRODUCTS:
        return products, Count(len(products), is_exact=True)
    return products, found.bounded_count(COUNTED_PRODUCTS)
