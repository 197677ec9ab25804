"""Ledger entries that hold stock for orders which the order service does not know.

An order is written before its stock is requested, so that its entry is always the later one. Where PostgreSQL
was restored to an earlier moment than MongoDB, orders are lost whose entries are there (docs/backup.md).
"""

from uuid import UUID

import structlog

from kafka_workers.audit.report import Difference
from orders_app.services.stock_claims import find_unknown
from products_app.services.stock.audit import HeldStock, next_holding_orders, read_held_stock
from products_app.services.stock.repair import release_entry

SLICE_ENTRIES = 1000
FEW = 10
ADVICE = "With --repair they are given back"

log = structlog.get_logger(__name__)


class ForeignLedger(Exception):
    """The ledger is not that of this order service: most of its entries are of no order of it."""

    def __init__(self, unknown: int, entries: int) -> None:
        super().__init__(
            f"{unknown} of {entries} ledger entries hold stock for orders that are not known: check that "
            "DATABASE_URL and MONGODB_URI belong together. Nothing was repaired"
        )


def audit_entries(*, repair: bool) -> list[Difference]:
    """The entries that hold stock for orders which are not known; with `repair` they are released.

    Raises ForeignLedger, CatalogueUnavailable and django.db.OperationalError.
    """
    found: list[Difference] = []
    entries, after = 0, ""
    while order_ids := next_holding_orders(after, SLICE_ENTRIES):
        after, entries = order_ids[-1], entries + len(order_ids)
        # The ledger was read first: an order that it knows was there before.
        unknown = sorted(map(str, find_unknown([UUID(each) for each in order_ids])))
        found += [_difference(order_id, held) for order_id, held in read_held_stock(unknown).items()]
    if repair and FEW < len(found) > entries / 2:
        raise ForeignLedger(len(found), entries)
    for difference in found if repair else ():
        release_entry(difference.id)
        difference.repaired = "Given back"
        log.warning("audit repaired a difference", id=difference.id, fact=difference.fact)
    return found


def _difference(order_id: str, held: HeldStock) -> Difference:
    fact = f"{held.by_order} are held for it, and there is no such order"
    return Difference("ledger", order_id, fact, ADVICE)
