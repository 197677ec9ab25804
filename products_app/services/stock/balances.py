"""The stock of every product beside the ledger, in one snapshot, for people to look at."""

from collections import Counter
from typing import Any

from mongoengine import get_connection
from msgspec import Struct
from pymongo import MongoClient
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.ledger import ledger_collection
from products_app.services.stock.audit import (
    SNAPSHOT_SECONDS,
    ProductBalance,
    entry_slices,
    is_snapshot_not_ready,
    read_balances,
    sum_held,
)


class Balances(Struct, frozen=True):
    """What was received, is held and is in stock of every product; so many ledger `entries` were compared."""

    products: list[ProductBalance]
    entries: int


@retry(
    retry=retry_if_exception(is_snapshot_not_ready),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(SNAPSHOT_SECONDS),
    reraise=True,
)
def read_all_balances() -> Balances:
    """The balance of every product, while traffic runs. Raises CatalogueUnavailable."""
    client: MongoClient[Any] = get_connection()
    with translating_mongodb_errors(), client.start_session(snapshot=True) as session:
        held: Counter[str] = Counter()
        for entries in entry_slices(session):
            held.update(sum_held(session, entries))
        number = ledger_collection().count_documents({}, session=session)
        return Balances(list(read_balances(session, held)), number)
