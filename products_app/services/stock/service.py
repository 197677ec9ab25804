"""The stock service: settles a batch of requests in one MongoDB transaction."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from foundation.group_commit import GroupCommit
from products_app.documents.connection import object_id, translating_mongodb_errors
from products_app.documents.ledger import LedgerEntry, ledger_collection, read_entry
from products_app.documents.product import product_collection, validator
from products_app.documents.reading import (
    MAX_COUNT,
    NEEDED_FIELDS,
    faults_of,
    is_name,
    is_whole,
    report_unreadable,
)
from products_app.documents.transactions import (
    WriteConflict,
    is_duplicate_key,
    retry_on_conflict,
    transaction,
)
from products_app.services.stock.movements import record_received
from products_app.services.stock.requests import (
    Line,
    LineReleased,
    LineReserved,
    Release,
    ReleaseLine,
    Reserve,
    ReserveLine,
    StockAnswer,
    StockRequest,
)
from products_app.services.stock.settlement import ProductStock, Settlement

__all__ = [
    "STOCK_REQUESTS",
    "Line",
    "LineReleased",
    "LineReserved",
    "Release",
    "ReleaseLine",
    "Reserve",
    "ReserveLine",
    "StockAnswer",
    "StockRequest",
    "settle",
    "settle_counting",
]

MAX_TRANSACTION_LINES = 10_000
MAX_GROUPED_REQUESTS = 100


class Settled(NamedTuple):
    """The answers to a batch of requests, and how many requests of whole orders had their answer before."""

    answers: list[StockAnswer]
    repeated: int


def settle(requests: Sequence[StockRequest]) -> list[StockAnswer]:
    """Answer the requests as `settle_counting` does. Raises the same errors."""
    return settle_counting(requests).answers


def settle_counting(requests: Sequence[StockRequest]) -> Settled:
    """Answer the requests in their order, each on the state that the ones before it have left.

    Returns one answer for each request, in the same order; the answers are durable. A repeated request gets
    its first answer and changes nothing. Refusals of single lines are returned, not raised. Uses one
    transaction for each MAX_TRANSACTION_LINES lines.
    Raises CatalogueUnavailable, and EntryUnreadable where the ledger entry of an order was changed by hand;
    some requests may be settled then, and sending all of them again, together or singly, is safe.
    """
    batches = [settle_batch(batch) for batch in split_into_transactions(requests)]
    return Settled(
        [answer for batch in batches for answer in batch.answers], sum(each.repeated for each in batches)
    )


STOCK_REQUESTS: GroupCommit[StockRequest, StockAnswer] = GroupCommit(settle, limit=MAX_GROUPED_REQUESTS)
"""Settles single lines, those of the same time in one transaction.

Its calls raise the refusals of a line (ProductNotFound, ProductInactive, InsufficientStock, QuantityConflict,
ReservedByAnother, AlreadyReleased, AlreadyRejected) and CatalogueUnavailable.
"""


def split_into_transactions(requests: Iterable[StockRequest]) -> Iterator[list[StockRequest]]:
    """Cut the requests into batches of at most MAX_TRANSACTION_LINES lines."""
    batch: list[StockRequest] = []
    lines = 0
    for request in requests:
        size = len(request.product_ids()) or 1
        if batch and lines + size > MAX_TRANSACTION_LINES:
            yield batch
            batch, lines = [], 0
        batch.append(request)
        lines += size
    if batch:
        yield batch


def settle_batch(requests: Sequence[StockRequest]) -> Settled:
    """Settle one batch. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        return settle_with_retries(requests)


@retry_on_conflict
def settle_with_retries(requests: Sequence[StockRequest]) -> Settled:
    """Settle a batch; retry while other batches write the same products or orders.

    Most orders are new, so an order whose first request is a reserve is not looked up: its ledger entry is
    inserted. If the order already has an entry, the insert fails, the transaction is rolled back, and the
    batch is settled again with every order looked up.
    """
    try:
        return settle_in_transaction(requests, orders_to_look_up(requests))
    except BulkWriteError as error:
        if not is_duplicate_key(error):
            raise
    return settle_in_transaction(requests, {request.order_id for request in requests})


def settle_in_transaction(requests: Sequence[StockRequest], looked_up: Collection[str]) -> Settled:
    """Settle in one transaction, with the entries of the `looked_up` orders.

    The transaction commits even if it wrote nothing: only a commit proves that the data it read is durable.
    """
    with transaction() as session:
        return settle_in_session(session, requests, read_entries(session, looked_up))


def orders_to_look_up(requests: Sequence[StockRequest]) -> set[str]:
    """The orders whose first request is not a reserve: no insert would reveal their existing entry."""
    first = {request.order_id: request for request in reversed(requests)}
    return {order_id for order_id, request in first.items() if not isinstance(request, Reserve)}


def settle_in_session(
    session: ClientSession, requests: Sequence[StockRequest], entries: dict[str, LedgerEntry]
) -> Settled:
    """Read the products, compute the answers in memory, write stock and ledger.

    `entries` has the ledger entries that exist; an order without one gets a new entry.
    """
    known = frozenset(entries)
    products = take_single_line(session, requests, entries)
    if products is None:
        products = read_products(session, named_products(requests, entries.values()))
    settlement = Settlement(products, entries)
    answers = [settlement.answer(request) for request in requests]
    # Stock first: conflicts are likeliest there, and so are found before the longer write of the ledger.
    write_stock(session, products.values())
    write_entries(session, settlement.changed.values(), known)
    return Settled(answers, settlement.repeated)


def read_entries(session: ClientSession, order_ids: Collection[str]) -> dict[str, LedgerEntry]:
    """The ledger entries of these orders that exist, by order id. Raises EntryUnreadable."""
    if not order_ids:
        return {}
    found = ledger_collection().find({"_id": {"$in": list(order_ids)}}, session=session)
    return {entry["_id"]: read_entry(entry) for entry in found}


def named_products(requests: Iterable[StockRequest], entries: Iterable[LedgerEntry]) -> set[str]:
    """Every product id that the requests or the entries name, each as it is spelled there."""
    requested = {product_id for request in requests for product_id in request.product_ids()}
    return requested.union(*(entry["lines"] for entry in entries))


def take_single_line(
    session: ClientSession, requests: Sequence[StockRequest], entries: Mapping[str, LedgerEntry]
) -> dict[str, ProductStock] | None:
    """Take the pieces of a single line with the update that reads its product; None where nothing was taken.

    Only an order that comes alone has a round trip to gain; it does so if its product has the pieces. Should
    the settlement decide otherwise, `write_stock` writes the difference.
    """
    match requests:
        case [Reserve(lines=(Line() as line,))] if not entries and (key := object_id(line.product_id)):
            pass
        case _:
            return None
    for_sale = {"stock": {"$gte": line.quantity}, "received": {"$gte": 0}, "isActive": {"$ne": False}}
    document = product_collection().find_one_and_update(
        {"_id": key, **for_sale, **validator()},
        {"$inc": {"stock": -line.quantity}},
        NEEDED_FIELDS,
        session=session,
    )
    if document is None:
        return None
    product = product_stock(document)
    product.stock_stored -= line.quantity
    return {line.product_id: product, product.product_id: product}


def read_products(session: ClientSession, product_ids: Iterable[str]) -> dict[str, ProductStock]:
    """The products that exist, by their canonical id and by each spelling in `product_ids`."""
    ids = {text: key for text in product_ids if (key := object_id(text))}
    keys = list(set(ids.values()))
    # One round trip: by default MongoDB's first reply holds a hundred documents.
    found = product_collection().find(
        {"_id": {"$in": keys}}, NEEDED_FIELDS, session=session, batch_size=len(keys) + 1
    )
    products = {product["_id"]: product_stock(product) for product in found}
    by_spelling = {text: products[key] for text, key in ids.items() if key in products}
    return by_spelling | {product.product_id: product for product in products.values()}


def product_stock(document: Mapping[str, Any]) -> ProductStock:
    """A document of the collection; one that cannot be read is not for sale, but takes pieces back."""
    product_id, name, stock = str(document["_id"]), document.get("name"), document.get("stock")
    if faults := faults_of(document):
        report_unreadable(product_id, "; ".join(faults.values()))
    pieces = int(stock) if is_whole(stock) and abs(stock) <= MAX_COUNT else None
    return ProductStock(
        product_id=product_id,
        name=name if is_name(name) else product_id,
        is_active=not faults and document.get("isActive") is not False,
        is_counted=pieces is not None,
        has_received=document.get("received") is not None,
        stock_stored=pieces or 0,
        stock=pieces or 0,
    )


def write_stock(session: ClientSession, products: Iterable[ProductStock]) -> None:
    """Update each product whose stock differs from the stored one. Raises WriteConflict."""
    changed = {
        product.product_id: product
        for product in products
        if product.stock != product.stock_stored and product.is_counted
    }
    updates = [stock_update(product) for product in changed.values()]
    if updates:
        count_received(session, [product for product in changed.values() if not product.has_received])
        written = product_collection().bulk_write(updates, ordered=False, session=session)
        if written.matched_count != len(updates):
            raise WriteConflict


def count_received(session: ClientSession, products: Sequence[ProductStock]) -> None:
    """Count products that another program wrote without `received`: nothing is held of them yet."""
    if products:
        keys = [ObjectId(product.product_id) for product in products]
        record_received(session, product_collection().find({"_id": {"$in": keys}}, session=session))


def stock_update(product: ProductStock) -> UpdateOne:
    """The update that changes the stock by the difference.

    The filter has the id alone, which halves the time of the update. It need not check the stock: a write
    after the transaction's snapshot ends the transaction with a write conflict. The collection's validator
    refuses a negative stock.
    """
    change = {"$inc": {"stock": product.stock - product.stock_stored}}
    return UpdateOne({"_id": ObjectId(product.product_id)}, change)


def write_entries(session: ClientSession, changed: Iterable[LedgerEntry], known: Container[str]) -> None:
    """Insert the new entries and replace the `known` ones.

    MongoDB raises a write conflict if another transaction writes the same entry.
    """
    now = datetime.now(UTC)
    new: list[LedgerEntry] = []
    replacements: list[ReplaceOne[LedgerEntry]] = []
    for entry in changed:
        entry["updatedAt"] = now
        if entry["_id"] in known:
            replacements.append(ReplaceOne({"_id": entry["_id"]}, entry))
        else:
            new.append(entry)
    if replacements:
        ledger_collection().bulk_write(replacements, ordered=False, session=session)
    if new:
        ledger_collection().insert_many(new, ordered=False, session=session)
