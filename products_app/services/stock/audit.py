"""Whether stock and ledger agree, and putting right what does not (docs/audit.md).

`stock - (received - held)` is the surplus of a product. Whatever the shop does changes both sides of it at
once, so a surplus other than 0 is a fault that was made elsewhere, and it stays the same while traffic runs.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from bson import ObjectId
from mongoengine import get_connection
from msgspec import Struct
from pymongo import MongoClient, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from products_app.documents.connection import reaching_catalogue
from products_app.documents.ledger import EntryStatus, LedgerEntry, ledger_collection
from products_app.documents.product import product_collection
from products_app.messages import InventoryReserved
from products_app.services.stock.service import (
    DURABLE,
    SNAPSHOT,
    Line,
    Reserve,
    again_when_overtaken,
    read_entries,
    settle_in,
)

SLICE_ENTRIES = 50_000
CLOSED: tuple[EntryStatus, ...] = ("rejected", "released")
SNAPSHOT_UNAVAILABLE = 246
SNAPSHOT_SECONDS = 10


class Figure(Struct, frozen=True):
    """The stock of a product, beside what it must follow from.

    `stock` None: there is no such product, though orders hold it. `received` None: nobody has counted it in.
    """

    product_id: str
    name: str
    stock: int | None
    received: int | None
    held: int

    @property
    def surplus(self) -> int:
        """How many pieces too many the stock says; negative: too few. 0 where that cannot be told."""
        if self.stock is None or self.received is None:
            return 0
        return self.stock - (self.received - self.held)

    @property
    def is_wrong(self) -> bool:
        """Whether it breaks the law of stock."""
        return self.stock is None or self.received is None or self.stock < 0 or self.surplus != 0


class BrokenLine(Struct, frozen=True):
    """A line of the ledger that no request can have made."""

    order_id: str
    status: EntryStatus
    product_id: str
    quantity: int
    held: int


class StockReport(Struct, frozen=True):
    """Products and ledger as of one moment.

    `wrong` are the figures that do not follow from the ledger, `uncounted` the products that came without
    `received` and of which nothing is held: their first reservation counts them.
    """

    products: int
    entries: int
    wrong: list[Figure]
    uncounted: list[str]
    broken: list[BrokenLine]


class Holding(Struct, frozen=True):
    """What the ledger says of an order: how many pieces it holds of which product.

    `held` was reserved for the order as a whole, `apart` line by line.
    """

    status: EntryStatus
    held: dict[str, int]
    apart: dict[str, int]


def is_snapshot_not_ready(error: BaseException) -> bool:
    """Whether a collection was changed a moment ago, and cannot be read as of one moment yet."""
    return isinstance(error, OperationFailure) and error.code == SNAPSHOT_UNAVAILABLE


@retry(
    retry=retry_if_exception(is_snapshot_not_ready),
    wait=wait_fixed(0.1),
    stop=stop_after_delay(SNAPSHOT_SECONDS),
    reraise=True,
)
def read_stock(progress: Callable[[int], None]) -> StockReport:
    """Compare every product with the ledger, as of one moment, however much traffic runs.

    `progress` is told how many ledger entries have been read. Reads the ledger in slices and keeps a number a
    product. Raises CatalogueUnavailable.
    """
    client: MongoClient[Any] = get_connection()
    with reaching_catalogue(), client.start_session(snapshot=True) as session:
        seen = 0
        held: Counter[str] = Counter()
        broken: list[BrokenLine] = []
        for entries in entry_slices(session):
            held.update(sum_held(session, entries))
            broken += find_broken(session, entries)
            seen += ledger_collection().count_documents(entries, session=session)
            progress(seen)
        return sort_out(read_figures(session, held), broken, entries=seen)


def entry_slices(session: ClientSession) -> Iterator[dict[str, Any]]:
    """Filters that cut the ledger into slices."""
    after = ""
    while last := end_of_slice(session, after):
        yield {"_id": {"$gt": after, "$lte": last}}
        after = last
    yield {"_id": {"$gt": after}}


def end_of_slice(session: ClientSession, after: str) -> str | None:
    """The last order id of a full slice; None where the rest is no full slice."""
    ids = ledger_collection().find({"_id": {"$gt": after}}, {"_id": 1}, session=session)
    found = list(ids.sort("_id").skip(SLICE_ENTRIES - 1).limit(1))
    return found[0]["_id"] if found else None


def each_line(entries: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stages that make a document of every line of these entries."""
    return [
        {"$match": entries},
        {"$project": {"status": 1, "line": {"$objectToArray": "$lines"}}},
        {"$unwind": "$line"},
    ]


def sum_held(session: ClientSession, entries: Mapping[str, Any]) -> dict[str, int]:
    """How many pieces of each product these entries hold together."""
    stages = [*each_line(entries), {"$group": {"_id": "$line.k", "held": {"$sum": "$line.v.held"}}}]
    found = ledger_collection().aggregate(stages, session=session, allowDiskUse=True)
    return {product["_id"]: product["held"] for product in found}  # type: ignore[typeddict-item]


def find_broken(session: ClientSession, entries: Mapping[str, Any]) -> list[BrokenLine]:
    """The lines that hold less than nothing, more than was reserved, or anything for a closed order."""
    held, quantity = "$line.v.held", "$line.v.quantity"
    closed = {"$and": [{"$in": ["$status", CLOSED]}, {"$ne": [held, 0]}]}
    wrong = {"$or": [{"$lt": [held, 0]}, {"$gt": [held, quantity]}, closed]}
    found = ledger_collection().aggregate(
        [*each_line(entries), {"$match": {"$expr": wrong}}], session=session
    )
    return [broken_line(document) for document in found]


def broken_line(document: Mapping[str, Any]) -> BrokenLine:
    """A line as `each_line` gives it."""
    line = document["line"]
    return BrokenLine(
        document["_id"], document["status"], line["k"], line["v"]["quantity"], line["v"]["held"]
    )


def read_figures(session: ClientSession, held: Mapping[str, int]) -> Iterator[Figure]:
    """The figures of every product, and at last of those that are held but not there."""
    missing = {product_id for product_id, pieces in held.items() if pieces}
    fields = {"name": 1, "stock": 1, "received": 1}
    for product in product_collection().find({"_id": {"$type": "objectId"}}, fields, session=session):
        product_id = str(product["_id"])
        missing.discard(product_id)
        name, stock, received = product.get("name", ""), product.get("stock", 0), product.get("received")
        yield Figure(product_id, name, stock, received, held.get(product_id, 0))
    for product_id in sorted(missing):
        yield Figure(product_id, "", None, None, held[product_id])


def sort_out(figures: Iterable[Figure], broken: list[BrokenLine], *, entries: int) -> StockReport:
    """What is wrong among these figures."""
    products, wrong, uncounted = 0, list[Figure](), list[str]()
    for figure in figures:
        products += figure.stock is not None
        if figure.stock is not None and figure.received is None and not figure.held:
            uncounted.append(figure.product_id)
        elif figure.is_wrong:
            wrong.append(figure)
    return StockReport(products, entries, wrong, uncounted, broken)


def count_entries() -> int:
    """About how many entries the ledger has. Raises CatalogueUnavailable."""
    with reaching_catalogue():
        return ledger_collection().estimated_document_count()


def read_holdings(order_ids: Collection[str]) -> dict[str, Holding]:
    """What the ledger says of these orders, by order id. Raises CatalogueUnavailable."""
    with reaching_catalogue():
        found = ledger_collection().find({"_id": {"$in": list(order_ids)}}, {"status": 1, "lines": 1})
        return {entry["_id"]: holding(entry) for entry in found}


def holding(entry: LedgerEntry) -> Holding:
    """What an entry holds."""
    held: dict[str, int] = {}
    apart: dict[str, int] = {}
    for product_id, line in entry["lines"].items():
        if line["held"]:
            (apart if "apart" in line else held)[product_id] = line["held"]
    return Holding(entry["status"], held, apart)


def correct_stock(figure: Figure) -> bool:
    """Bring the stock of a product to what follows from the ledger, or count it in where nobody has.

    The surplus goes off the stock, whatever traffic has made of both meanwhile; so correct a figure once, and
    let nobody else. False, with nothing changed, where that is impossible: the stock would be negative, or
    the product is not what it was. Raises CatalogueUnavailable.
    """
    if figure.stock is None:
        return False
    product: dict[str, Any] = {"_id": ObjectId(figure.product_id)}
    if figure.received is None:
        wanted = product | {"stock": figure.stock, "received": None}
        change = {"$set": {"received": figure.stock + figure.held}}
    else:
        wanted = product | {"stock": {"$gte": figure.surplus}}
        change = {"$inc": {"stock": -figure.surplus}}
    with reaching_catalogue():
        return bool(product_collection().update_one(wanted, change).modified_count)


class HoldNotRestored(Exception):
    """The stock service would not reserve the order's lines."""


def restore_hold(*, order_id: str, lines: Mapping[str, int], unaccounted: Mapping[str, int]) -> bool:
    """Enter an order in the ledger that holds its lines without being there, as if it were reserved now.

    `unaccounted` pieces of a product are off its shelf though the ledger does not know why: they are taken
    for the order's own. The rest is taken off the shelf. False, with nothing changed, where the order has an
    entry or its lines cannot be reserved. Raises CatalogueUnavailable.
    """
    request = Reserve(order_id, tuple(Line(*line) for line in lines.items()))
    found = {product_id: pieces for product_id, pieces in unaccounted.items() if pieces}
    with reaching_catalogue():
        try:
            restore_in_transaction(request, found)
        except HoldNotRestored:
            return False
    return True


@again_when_overtaken
def restore_in_transaction(request: Reserve, found: Mapping[str, int]) -> None:
    """Put what was found on the shelf and reserve at once. Raises HoldNotRestored."""
    client: MongoClient[Any] = get_connection()
    with client.start_session() as session, session.start_transaction(SNAPSHOT, DURABLE):
        entries = read_entries(session, [request.order_id])
        if entries:
            raise HoldNotRestored
        shelve(session, found)
        (answer,) = settle_in(session, [request], entries)
        if not isinstance(answer, InventoryReserved):
            raise HoldNotRestored


def shelve(session: ClientSession, found: Mapping[str, int]) -> None:
    """Add pieces to the stock of products."""
    updates = [
        UpdateOne({"_id": ObjectId(product_id)}, {"$inc": {"stock": pieces}})
        for product_id, pieces in found.items()
    ]
    if updates:
        product_collection().bulk_write(updates, session=session)
