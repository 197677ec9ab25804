"""Compares stock with the ledger and with the movements (docs/audit.md).

The drift of a product is `stock - (received - held)`, where received is the sum of its movements. Each
transaction of the stock service changes two of the three by the same pieces, so it leaves the drift as it is.
A drift other than 0 was caused elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from mongoengine import get_connection
from msgspec import Struct
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.ledger import (
    OUR_IDS,
    READABLE,
    EntryStatus,
    LedgerEntry,
    ledger_collection,
    read_entry,
)
from products_app.documents.movements import are_recorded, recorded_sums
from products_app.documents.product import product_collection
from products_app.documents.reading import faults_of, is_whole
from products_app.exceptions import EntryUnreadable

SLICE_ENTRIES = 50_000
FINAL_STATUSES: tuple[EntryStatus, ...] = ("rejected", "released")
SNAPSHOT_UNAVAILABLE = 246
SNAPSHOT_SECONDS = 10


class ProductBalance(Struct, frozen=True):
    """The stock of a product, the pieces received, and the pieces that orders hold.

    `stock` is None if the catalogue lacks the product although orders hold pieces of it. `received` is None
    if the product was written by another program and lacks that field. `moved` is the sum of its movements,
    None if they are not recorded yet. `fault` says what is wrong where one of the counts cannot be read; then
    there is nothing to compare.
    """

    product_id: str
    name: str
    stock: int | None
    received: int | None
    held: int
    moved: int | None = None
    fault: str = ""

    @property
    def drift(self) -> int:
        """Stock minus (received minus held): positive if the stock is too high; 0 if a figure is missing.

        What was received is what the movements say, where they are recorded.
        """
        if self.stock is None or self.received is None:
            return 0
        return self.stock - (self.received - self.unrecorded - self.held)

    @property
    def unrecorded(self) -> int:
        """By how many pieces `received` was changed without a movement."""
        return 0 if self.moved is None or self.received is None else self.received - self.moved

    @property
    def pieces_of_drift(self) -> int:
        """By how many pieces stock, ledger and movements differ."""
        return max(abs(self.drift), abs(self.unrecorded))

    @property
    def lacks_movement_alone(self) -> bool:
        """Whether stock and received were changed alike without a movement, and nothing else is wrong."""
        return self.unrecorded != 0 and self.drift == self.unrecorded

    @property
    def is_inconsistent(self) -> bool:
        """Whether a figure is missing, the stock is negative, or the figures do not add up."""
        is_incomplete = bool(self.fault) or self.stock is None or self.received is None
        return is_incomplete or self.drift != 0 or self.unrecorded != 0 or (self.stock or 0) < 0


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
    reservation sets `received`. `unrecorded` has the ids of counted products whose movements are not recorded
    yet. `unreadable_entries` has the ids of ledger entries that no service can have written.
    """

    products: int
    entries: int
    inconsistent: list[ProductBalance]
    uncounted: list[str]
    unrecorded: list[str]
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


retry_until_snapshot_is_ready = retry(
    retry=retry_if_exception(is_snapshot_not_ready),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(SNAPSHOT_SECONDS),
    reraise=True,
)


@contextmanager
def snapshot() -> Iterator[ClientSession]:
    """A session that reads all collections as they are at one moment."""
    client: MongoClient[Any] = get_connection()
    with translating_mongodb_errors(), client.start_session(snapshot=True) as session:
        yield session


@retry_until_snapshot_is_ready
def read_stock(progress: Callable[[int], None]) -> StockReport:
    """Compare every product with the ledger in one snapshot, while traffic runs.

    Calls `progress` with the number of ledger entries read so far. Reads the ledger in slices and keeps one
    number for each product. Raises CatalogueUnavailable.
    """
    with snapshot() as session:
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
    fields = {"name": 1, "stock": 1, "received": 1, "movements": 1}
    moved = recorded_sums(None, session)
    for product in product_collection().find({"_id": {"$type": "objectId"}}, fields, session=session):
        product_id = str(product["_id"])
        missing.discard(product_id)
        pieces, _ = moved.get(product["_id"], (0, 0))
        yield balance_of(product, held.get(product_id, 0), pieces if are_recorded(product) else None)
    for product_id in sorted(missing):
        yield ProductBalance(product_id, "", None, None, held[product_id])


def balance_of(product: Mapping[str, Any], held: int, moved: int | None) -> ProductBalance:
    """The balance of a product in the catalogue; its name need not be readable."""
    name, stock, received = product.get("name"), product.get("stock"), product.get("received")
    fault = ""
    if not is_whole(stock) or not (received is None or is_whole(received)):
        faults = faults_of(product)
        fault = "; ".join(faults[field] for field in ("stock", "received") if field in faults)
        stock, received = None, None
    return ProductBalance(
        str(product["_id"]), name if isinstance(name, str) else "", stock, received, held, moved, fault
    )


def build_report(
    balances: Iterable[ProductBalance],
    invalid_lines: list[InvalidLine],
    unreadable: list[str],
    *,
    entries: int,
) -> StockReport:
    """Count the products and collect the inconsistent, uncounted and unrecorded ones."""
    products, inconsistent, uncounted, unrecorded = 0, list[ProductBalance](), list[str](), list[str]()
    for balance in balances:
        products += balance.stock is not None or bool(balance.fault)
        if balance.stock is not None and balance.received is None and not balance.held:
            uncounted.append(balance.product_id)
        elif balance.is_inconsistent:
            inconsistent.append(balance)
        elif balance.moved is None:
            unrecorded.append(balance.product_id)
    return StockReport(products, entries, inconsistent, uncounted, unrecorded, invalid_lines, unreadable)


def count_entries() -> int:
    """The approximate number of ledger entries. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        return ledger_collection().estimated_document_count()


def read_held_stock(order_ids: Collection[str]) -> dict[str, HeldStock]:
    """The pieces that these orders hold, by order id. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        found = ledger_collection().find({"_id": {"$in": list(order_ids)}})
        return {entry["_id"]: held_stock(entry) for entry in found}


def next_holding_orders(after: str, size: int) -> list[str]:
    """The next orders after this id that are of our form and hold stock by the ledger, at most `size`.

    Raises CatalogueUnavailable.
    """
    ours = {
        "_id": {"$gt": after, "$regex": OUR_IDS},
        "status": "reserved",
        "externalHolds": {"$exists": False},
    }
    with translating_mongodb_errors():
        found = ledger_collection().find(ours, {"_id": 1}).sort("_id").limit(size)
        return [entry["_id"] for entry in found]


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
