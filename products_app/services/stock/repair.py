"""Corrects differences between stock, ledger and movements (docs/audit.md)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.product import product_collection
from products_app.documents.transactions import in_transaction
from products_app.exceptions import EntryUnreadable
from products_app.messages import InventoryReserved
from products_app.services.stock.audit import ProductBalance
from products_app.services.stock.movements import record_received
from products_app.services.stock.service import (
    Line,
    Release,
    Reserve,
    read_entries,
    settle,
    settle_in_session,
)

AUDIT = "service:audit"


def correct_stock(balance: ProductBalance) -> bool:
    """Correct the counts of a product so that they add up.

    A change of stock and `received` that lacks its movement gets one: a recount is never undone. Of a product
    without `received`, that is set. Otherwise the drift is subtracted from the stock, and `received` becomes
    the sum of the movements. Traffic does not change drifts, so the balance may be older than the stock; but
    the same balance must not be corrected twice. Returns False, with nothing changed, if the stock would
    become negative or a product without `received` has changed since. Raises CatalogueUnavailable.
    """
    if balance.stock is None:
        return False
    if balance.received is None:
        counts = {"stock": balance.stock, "received": balance.stock + balance.held}
        return in_transaction(partial(_record, balance, {"stock": balance.stock, "received": None}, counts))
    if balance.lacks_movement_alone:
        return in_transaction(partial(_record, balance, {}, {}))
    condition = {"_id": ObjectId(balance.product_id), "stock": {"$gte": balance.drift}}
    change = {"$inc": {"stock": -balance.drift, "received": -balance.unrecorded}}
    with translating_mongodb_errors():
        return bool(product_collection().update_one(condition, change).modified_count)


def _record(
    balance: ProductBalance, condition: Mapping[str, Any], counts: Mapping[str, int], session: ClientSession
) -> bool:
    """Set these counts, and record what the movements lack; False unless the condition holds."""
    found = {"_id": ObjectId(balance.product_id), **condition}
    document = product_collection().find_one(found, session=session)
    if document is None:
        return False
    # Without the number of its last movement it counts as not recorded: the difference gets a movement.
    record_received(session, [{**document, **counts, "movements": None}], actor=AUDIT)
    return True


class EntryNotRestored(Exception):
    """The order has a ledger entry already, or its lines cannot be reserved."""


def restore_entry(*, order_id: str, lines: Mapping[str, int], missing_pieces: Mapping[str, int]) -> bool:
    """Reserve the lines of an order whose ledger entry was lost.

    `missing_pieces`, by product id, are missing from the stock without an entry that explains them: they
    count as this order's. The rest is taken from the stock. Returns False, with nothing changed, if the order
    has an entry or its lines cannot be reserved. Raises CatalogueUnavailable.
    """
    request = Reserve(order_id, tuple(Line(*line) for line in lines.items()))
    missing = {product_id: pieces for product_id, pieces in missing_pieces.items() if pieces}
    try:
        in_transaction(partial(_restore, request=request, missing_pieces=missing))
    except (EntryNotRestored, EntryUnreadable):
        return False
    return True


def _restore(session: ClientSession, request: Reserve, missing_pieces: Mapping[str, int]) -> None:
    """Add the missing pieces to the stock and reserve. Raises EntryNotRestored."""
    entries = read_entries(session, [request.order_id])
    if entries:
        raise EntryNotRestored
    add_stock(session, missing_pieces)
    (answer,) = settle_in_session(session, [request], entries).answers
    if not isinstance(answer, InventoryReserved):
        raise EntryNotRestored


def add_stock(session: ClientSession, pieces_by_product: Mapping[str, int]) -> None:
    """Add pieces to the stock of these products."""
    updates = [
        UpdateOne({"_id": ObjectId(product_id)}, {"$inc": {"stock": pieces}})
        for product_id, pieces in pieces_by_product.items()
    ]
    if updates:
        product_collection().bulk_write(updates, session=session)


def release_entry(order_id: str) -> None:
    """Give back what an entry holds for an order that is not known. Raises CatalogueUnavailable."""
    settle([Release(order_id)])
