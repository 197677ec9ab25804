"""The stock service: a batch of requests settled in one MongoDB transaction."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from bson import ObjectId
from mongoengine import get_connection
from pymongo import MongoClient, ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from foundation.group_commit import Gathering
from products_app.documents.connection import is_passing, object_id, reaching_catalogue
from products_app.documents.ledger import LedgerEntry, ledger_collection
from products_app.documents.product import product_collection
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
from products_app.services.stock.settlement import Settlement, Shelf

__all__ = [
    "Line",
    "LineReleased",
    "LineReserved",
    "Release",
    "ReleaseLine",
    "Reserve",
    "ReserveLine",
    "StockAnswer",
    "StockRequest",
    "release_line",
    "reserve_line",
    "settle",
]

LINES_A_TRANSACTION = 10_000
MOST_GATHERED = 100
SETTLING_SECONDS = 10
DUPLICATE_KEY = 11000

SNAPSHOT = ReadConcern("snapshot")
DURABLE = WriteConcern("majority", j=True)
SHELF_FIELDS = {"name": 1, "stock": 1, "received": 1, "isActive": 1}


class BatchOvertaken(PyMongoError):
    """Another batch wrote what this one read; and this one has to be done again."""

    def __init__(self) -> None:
        super().__init__("overtaken by another batch", ["TransientTransactionError"])


def settle(requests: Sequence[StockRequest]) -> list[StockAnswer]:
    """Answer the requests, each as if those before it were done; nothing is ever taken or given back twice.

    The answers stand in the order of the requests and are durable when this returns. Refusals of single
    lines are returned, not raised. One transaction, or several for more than LINES_A_TRANSACTION lines.
    Raises CatalogueUnavailable; a part may be settled then, and asking again gives the same answers.
    """
    return [answer for part in parts(requests) for answer in settle_together(part)]


def reserve_line(*, order_id: str, product_id: str, quantity: int) -> LineReserved:
    """Take pieces of one product for an order; asked again, the same answer.

    Raises ProductNotFound, ProductInactive, InsufficientStock, QuantityConflict, AlreadyReleased,
    AlreadyRejected or CatalogueUnavailable.
    """
    return cast("LineReserved", settle_alone(ReserveLine(order_id, product_id, quantity)))


def release_line(*, order_id: str, product_id: str, quantity: int) -> LineReleased:
    """Give back pieces of one product, never more than the order holds; asked again, the same answer.

    Raises ProductNotFound or CatalogueUnavailable.
    """
    return cast("LineReleased", settle_alone(ReleaseLine(order_id, product_id, quantity)))


def settle_alone(request: StockRequest) -> StockAnswer:
    """The answer to one request, settled together with those of other threads; a Refusal is raised."""
    return _gathering.call(request)


_gathering: Gathering[StockRequest, StockAnswer] = Gathering(settle, limit=MOST_GATHERED)


def parts(requests: Iterable[StockRequest]) -> Iterator[list[StockRequest]]:
    """The requests in slices that a transaction can carry."""
    part: list[StockRequest] = []
    lines = 0
    for request in requests:
        size = len(request.product_ids()) or 1
        if part and lines + size > LINES_A_TRANSACTION:
            yield part
            part, lines = [], 0
        part.append(request)
        lines += size
    if part:
        yield part


def settle_together(requests: Sequence[StockRequest]) -> list[StockAnswer]:
    """Settle a batch, which may take several tries while others are at the same products or orders."""
    with reaching_catalogue():
        return settle_in_transaction(requests)


def is_worth_a_retry(error: BaseException) -> bool:
    """Whether another batch was faster, or the end of the commit is unknown: then the ledger will tell.

    Without a server there is no sense in trying.
    """
    return (
        isinstance(error, PyMongoError)
        and is_passing(error)
        and not isinstance(error, ServerSelectionTimeoutError)
    )


again_when_overtaken = retry(
    retry=retry_if_exception(is_worth_a_retry),
    wait=wait_random_exponential(multiplier=0.005, max=0.5),
    stop=stop_after_delay(SETTLING_SECONDS),
    reraise=True,
)


@again_when_overtaken
def settle_in_transaction(requests: Sequence[StockRequest]) -> list[StockAnswer]:
    """One transaction that took effect.

    Most orders are new. One whose first request is to reserve is not looked up: its entry is inserted, which
    fails where there is one. Then nothing of the batch is done, and all of it is looked up.
    """
    try:
        return settle_knowing(requests, not_surely_new(requests))
    except BulkWriteError as error:
        if not is_of_known_order(error):
            raise
    return settle_knowing(requests, {request.order_id for request in requests})


def settle_knowing(requests: Sequence[StockRequest], looked_up: Collection[str]) -> list[StockAnswer]:
    """One transaction, committed even where it wrote nothing: only that proves what it read to be durable."""
    client: MongoClient[Any] = get_connection()
    with client.start_session() as session, session.start_transaction(SNAPSHOT, DURABLE):
        return settle_in(session, requests, read_entries(session, looked_up))


def not_surely_new(requests: Sequence[StockRequest]) -> set[str]:
    """The orders whose entry may stay unwritten, so that no insert tells whether there is one already."""
    first = {request.order_id: request for request in reversed(requests)}
    return {order_id for order_id, request in first.items() if not isinstance(request, Reserve)}


def is_of_known_order(error: BulkWriteError) -> bool:
    """Whether an entry could not be inserted because its order has one."""
    return any(each["code"] == DUPLICATE_KEY for each in error.details["writeErrors"])


def settle_in(
    session: ClientSession, requests: Sequence[StockRequest], entries: dict[str, LedgerEntry]
) -> list[StockAnswer]:
    """Read the products, fold, write. An order without an entry here must have none in the ledger."""
    known = frozenset(entries)
    shelves = read_shelves(session, named_products(requests, entries.values()))
    settlement = Settlement(shelves, entries)
    answers = [settlement.answer(request) for request in requests]
    # Stock first: a rival at the same products is met before the long write.
    write_stock(session, shelves.values())
    write_entries(session, settlement.changed.values(), known)
    return answers


def read_entries(session: ClientSession, order_ids: Collection[str]) -> dict[str, LedgerEntry]:
    """The ledger's entries of these orders, by order id."""
    if not order_ids:
        return {}
    found = ledger_collection().find({"_id": {"$in": list(order_ids)}}, session=session)
    return {entry["_id"]: entry for entry in found}


def named_products(requests: Iterable[StockRequest], entries: Iterable[LedgerEntry]) -> set[str]:
    """Every product id that the requests or the entries name, as they spell it."""
    asked = {product_id for request in requests for product_id in request.product_ids()}
    return asked.union(*(entry["lines"] for entry in entries))


def read_shelves(session: ClientSession, product_ids: Iterable[str]) -> dict[str, Shelf]:
    """The products that exist, by their id and by each other spelling of it that is used."""
    ids = {text: key for text in product_ids if (key := object_id(text))}
    keys = list(set(ids.values()))
    # All in the first answer, not in a second one behind the usual hundred.
    found = product_collection().find(
        {"_id": {"$in": keys}}, SHELF_FIELDS, session=session, batch_size=len(keys) + 1
    )
    shelves = {product["_id"]: to_shelf(product) for product in found}
    spelt = {text: shelves[key] for text, key in ids.items() if key in shelves}
    return spelt | {shelf.product_id: shelf for shelf in shelves.values()}


def to_shelf(product: Mapping[str, Any]) -> Shelf:
    """A product of the collection, put there by us or by somebody else."""
    return Shelf(
        product_id=str(product["_id"]),
        name=product.get("name", ""),
        is_active=product.get("isActive", True),
        is_counted="received" in product,
        stock_read=product["stock"],
        stock=product["stock"],
    )


def write_stock(session: ClientSession, shelves: Iterable[Shelf]) -> None:
    """One update a product whose stock has changed."""
    changed = {shelf.product_id: shelf for shelf in shelves if shelf.stock != shelf.stock_read}
    updates = [stock_update(shelf) for shelf in changed.values()]
    if updates:
        written = product_collection().bulk_write(updates, ordered=False, session=session)
        if written.matched_count != len(updates):
            raise BatchOvertaken


def stock_update(shelf: Shelf) -> UpdateOne:
    """Take what was taken; of a product that came without `received`, nothing was held before.

    By the id alone, which MongoDB finds in half the time: that there is enough is known, because whatever is
    written after the transaction's snapshot was taken ends it with a write conflict. Below zero, the
    collection's validator refuses the update.
    """
    change: dict[str, Any] = {"$inc": {"stock": shelf.stock - shelf.stock_read}}
    if not shelf.is_counted:
        change["$set"] = {"received": shelf.stock_read}
    return UpdateOne({"_id": ObjectId(shelf.product_id)}, change)


def write_entries(session: ClientSession, changed: Iterable[LedgerEntry], known: Container[str]) -> None:
    """Insert the new entries, replace the `known` ones. A rival at the same entry is a write conflict."""
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
