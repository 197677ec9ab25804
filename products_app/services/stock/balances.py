"""The stock of every product beside the ledger, in one snapshot, for people to look at."""

from collections import Counter

from msgspec import Struct

from products_app.documents.ledger import ledger_collection
from products_app.services.stock.audit import (
    ProductBalance,
    entry_slices,
    read_balances,
    retry_until_snapshot_is_ready,
    snapshot,
    sum_held,
)


class Balances(Struct, frozen=True):
    """What was received, is held and is in stock of every product; so many ledger `entries` were compared."""

    products: list[ProductBalance]
    entries: int


@retry_until_snapshot_is_ready
def read_all_balances() -> Balances:
    """The balance of every product, while traffic runs. Raises CatalogueUnavailable."""
    with snapshot() as session:
        held: Counter[str] = Counter()
        for entries in entry_slices(session):
            held.update(sum_held(session, entries))
        number = ledger_collection().count_documents({}, session=session)
        return Balances(list(read_balances(session, held)), number)
