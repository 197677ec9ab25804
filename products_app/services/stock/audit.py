"""Compares stock with the ledger and corrects differences (docs/audit.md).

The drift of a product is `stock - (received - held)`. Each transaction of the stock service changes stock and
ledger by the same pieces, so it leaves the drift as it is. A drift other than 0 was caused elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Literal

from bson import ObjectId
from mongoengine import get_connection
from msgspec import Struct
from pymongo import MongoClient, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.ledger import (
    READABLE,
    EntryStatus,
    LedgerEntry,
    ledger_collection,
    read_entry,
)
from products_app.documents.product import product_collection
from products_app.documents.reading import faults_of, is_whole
from products_app.exceptions import EntryUnreadable
from products_app.messages import InventoryReserved
from products_app.services.stock.service import (
    DURABLE,
    SNAPSHOT,
    Line,
    Reserve,
    read_entries,
    retry_on_conflict,
    settle_in_session,
)

SLICE_ENTRIES = 50_000
FINAL_STATUSES: tuple[EntryStatus, ...] = ("rejected", "released")
SNAPSHOT_UNAVAILABLE = 246
SNAPSHOT_SECONDS = 10


class ProductBalance(Struct, frozen=True):
    """The stock of a product, the pieces received, and the pieces that orders hold.

    `stock` is None if the catalogue lacks the product although orders hold pieces of it. `received` is None
    if the product was written by another program and lacks that field. `fault` says what is wrong where one
    of the two cannot be read; then there is nothing to compare.
    """

    product_id: str
    name: str
    stock: int | None
    received: int | None
    held: int
    fault: str = ""

    @property
    def drift(self) -> int:
        """Stock minus (received minus held): positive if the stock is too high; 0 if a figure is missing."""
        if self.stock is None or self.received is None:
            return 0
        return self.stock - (self.received - self.held)

    @property
    def is_inconsistent(self) -> bool:
        """Whether stock is missing or negative, or differs from received minus held."""
        is_incomplete = bool(self.fault) or self.stock is None or self.received is None
        return is_incomplete or self.drift != 0 or (self.stock or 0) < 0


class InvalidLine(Struct, frozen=True):
    """A line of the ledger that no request can have written."""

    order_id: str
    status: EntryStatus
    product_id: str
    quantity: object
    held: object


class StockReport(Struct, frozen=True):
    """Products and ledger, compared in one snapshot.

    `uncounted` has the ids of products without `received` of which no order holds a piece: their first
    reservation sets `received`. `unreadable_entries` has the ids of ledger entries that no service can have
    written.
    """

    products: int
    entries: int
    inconsistent: list[ProductBalance]
    uncounted: list[str]
    invalid_lines: list[InvalidLine]
    unreadable_entries: list[str]


class HeldStock(Struct, frozen=True):
    """The pieces that an order holds by the ledger, by product id.

    `by_order` were reserved for the order as a whole, `by_line` line by line.
    """

    status: EntryStatus | Literal["unreadable"]
    by_order: dict[str, int]
    by_line: dict[str, int]


def is_snapshot_not_ready(error: BaseException) -> bool:
    """Whether MongoDB cannot read a snapshot yet, because the collection itself was changed just before."""
    return isinstance(error, OperationFailure) and error.code == SNAPSHOT_UNAVAILABLE


@retry(
    retry=retry_if_exception(is_snapshot_not_ready),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(SNAPSHOT_SECONDS),
    reraise=True,
)
def read_stock(progress: Callable[[int], None]) -> StockReport:
    """Compare every product with the ledger in one snapshot, while traffic runs.

    Calls `progress` with the number of ledger entries read so far. Reads the ledger in slices and keeps one
    number for each product. Raises CatalogueUnavailable.
    """
    client: MongoClient[Any] = get_connection()
    with translating_mongodb_errors(), client.start_session(snapshot=True) as session:
        entries_read = 0
        held: Counter[str] = Counter()
        invalid_lines: list[InvalidLine] = []
        for entries in entry_slices(session):
            held.update(sum_held(session, entries))
            invalid_lines += find_invalid_lines(session, entries)
            entries_read += ledger_collection().count_documents(entries, session=session)
            progress(entries_read)
        unreadable = [str(each["_id"]) for each in unreadable_entries(session)]
        invalid_lines = [line for line in invalid_lines if line.order_id not in unreadable]
        return build_report(read_balances(session, held), invalid_lines, unreadable, entries=entries_read)


def unreadable_entries(session: ClientSession) -> Iterable[Mapping[str, Any]]:
    """The ids of the entries that cannot be read."""
    return ledger_collection().find({"$nor": [READABLE]}, {"_id": 1}, session=session).sort("_id")


def entry_slices(session: ClientSession) -> Iterator[dict[str, Any]]:
    """The filters that select the ledger slice by slice."""
    after = ""
    while last := end_of_slice(session, after):
        yield {"_id": {"$gt": after, "$lte": last}}
        after = last
    yield {"_id": {"$gt": after}}


def end_of_slice(session: ClientSession, after: str) -> str | None:
    """The last order id of the slice after `after`; None if fewer entries remain than a slice has."""
    ids = ledger_collection().find({"_id": {"$gt": after}}, {"_id": 1}, session=session)
    found = list(ids.sort("_id").skip(SLICE_ENTRIES - 1).limit(1))
    return found[0]["_id"] if found else None


def unwind_lines(entries: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The aggregation stages that turn each line of these entries into a document.

    An entry whose lines are no object has none.
    """
    is_object = {"$eq": [{"$type": "$lines"}, "object"]}
    lines = {"$cond": [is_object, {"$objectToArray": "$lines"}, []]}
    return [
        {"$match": entries},
        {"$project": {"status": 1, "line": lines}},
        {"$unwind": "$line"},
    ]


def sum_held(session: ClientSession, entries: Mapping[str, Any]) -> dict[str, int]:
    """The pieces that these entries hold, by product id."""
    held = {"$cond": [{"$in": [{"$type": "$line.v.held"}, ["int", "long"]]}, "$line.v.held", 0]}
    stages = [*unwind_lines(entries), {"$group": {"_id": "$line.k", "held": {"$sum": held}}}]
    found = ledger_collection().aggregate(stages, session=session, allowDiskUse=True)
    return {product["_id"]: product["held"] for product in found}  # type: ignore[typeddict-item]


def find_invalid_lines(session: ClientSession, entries: Mapping[str, Any]) -> list[InvalidLine]:
    """The lines that hold a negative number, more than they reserved, or pieces for a finished order."""
    held, quantity = "$line.v.held", "$line.v.quantity"
    held_though_final = {"$and": [{"$in": ["$status", FINAL_STATUSES]}, {"$ne": [held, 0]}]}
    invalid = {"$or": [{"$lt": [held, 0]}, {"$gt": [held, quantity]}, held_though_final]}
    found = ledger_collection().aggregate(
        [*unwind_lines(entries), {"$match": {"$expr": invalid}}], session=session
    )
    return [invalid_line(document) for document in found]


def invalid_line(document: Mapping[str, Any]) -> InvalidLine:
    """The line in a document that `unwind_lines` produced."""
    key, line = document["line"]["k"], document["line"]["v"]
    quantity, held = (line.get("quantity"), line.get("held")) if isinstance(line, dict) else (None, None)
    return InvalidLine(document["_id"], document.get("status", "open"), key, quantity, held)


def read_balances(session: ClientSession, held: Mapping[str, int]) -> Iterator[ProductBalance]:
    """The balance of every product, then of each product that is held but not in the catalogue."""
    missing = {product_id for product_id, pieces in held.items() if pieces}
    fields = {"name": 1, "stock": 1, "received": 1}
    for product in product_collection().find({"_id": {"$type": "objectId"}}, fields, session=session):
        product_id = str(product["_id"])
        missing.discard(product_id)
        yield balance_of(product, held.get(product_id, 0))
    for product_id in sorted(missing):
        yield ProductBalance(product_id, "", None, None, held[product_id])


def balance_of(product: Mapping[str, Any], held: int) -> ProductBalance:
    """The balance of a product in the catalogue; its name need not be readable."""
    name, stock, received = product.get("name"), product.get("stock"), product.get("received")
    fault = ""
    if not is_whole(stock) or not (received is None or is_whole(received)):
        faults = faults_of(product)
        fault = "; ".join(faults[field] for field in ("stock", "received") if field in faults)
        stock, received = None, None
    return ProductBalance(
        str(product["_id"]), name if isinstance(name, str) else "", stock, received, held, fault
    )


def build_report(
    balances: Iterable[ProductBalance],
    invalid_lines: list[InvalidLine],
    unreadable: list[str],
    *,
    entries: int,
) -> StockReport:
    """Count the products and collect the inconsistent and uncounted ones."""
    products, inconsistent, uncounted = 0, list[ProductBalance](), list[str]()
    for balance in balances:
        products += balance.stock is not None or bool(balance.fault)
        if balance.stock is not None and balance.received is None and not balance.held:
            uncounted.append(balance.product_id)
        elif balance.is_inconsistent:
            inconsistent.append(balance)
    return StockReport(products, entries, inconsistent, uncounted, invalid_lines, unreadable)


def count_entries() -> int:
    """The approximate number of ledger entries. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        return ledger_collection().estimated_document_count()


def read_held_stock(order_ids: Collection[str]) -> dict[str, HeldStock]:
    """The pieces that these orders hold, by order id. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        found = ledger_collection().find({"_id": {"$in": list(order_ids)}})
        return {entry["_id"]: held_stock(entry) for entry in found}


def held_stock(entry: LedgerEntry) -> HeldStock:
    """The pieces that one entry holds; none where it cannot be read."""
    try:
        read_entry(entry)
    except EntryUnreadable:
        return HeldStock("unreadable", {}, {})
    by_order: dict[str, int] = {}
    by_line: dict[str, int] = {}
    for product_id, line in entry["lines"].items():
        if line["held"]:
            (by_line if "apart" in line else by_order)[product_id] = line["held"]
    return HeldStock(entry["status"], by_order, by_line)


def correct_stock(balance: ProductBalance) -> bool:
    """Subtract the drift from the product's stock, or set `received` if the product lacks it.

    Traffic does not change the drift, so the balance may be older than the stock; but the same balance must
    not be corrected twice. Returns False, with nothing changed, if the stock would become negative or a
    product without `received` has changed since. Raises CatalogueUnavailable.
    """
    if balance.stock is None:
        return False
    product: dict[str, Any] = {"_id": ObjectId(balance.product_id)}
    if balance.received is None:
        condition = product | {"stock": balance.stock, "received": None}
        change = {"$set": {"received": balance.stock + balance.held}}
    else:
        condition = product | {"stock": {"$gte": balance.drift}}
        change = {"$inc": {"stock": -balance.drift}}
    with translating_mongodb_errors():
        return bool(product_collection().update_one(condition, change).modified_count)


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
    with translating_mongodb_errors():
        try:
            restore_in_transaction(request, missing)
        except (EntryNotRestored, EntryUnreadable):
            return False
    return True


@retry_on_conflict
def restore_in_transaction(request: Reserve, missing_pieces: Mapping[str, int]) -> None:
    """Add the missing pieces to the stock and reserve, in one transaction. Raises EntryNotRestored."""
    client: MongoClient[Any] = get_connection()
    with client.start_session() as session, session.start_transaction(SNAPSHOT, DURABLE):
        entries = read_entries(session, [request.order_id])
        if entries:
            raise EntryNotRestored
        add_stock(session, missing_pieces)
        (answer,) = settle_in_session(session, [request], entries)
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
