"""What the stock watch stores: how far it has read, what it has still to tell, and which products it knows.

The collection `stock_watch` has one document:

    {"_id": "stock-watch", "holder": "<name of the leader>", "until": …, "position": …, "unsent": [<fall>, …]}

`position` is where the changes continue: a resume token, or the time of a comparison; null before the first
one. `watched_products` has one document for each product with a `lowStockAt` above 0: its name, `lowStockAt`,
and whether it is low. Both change together, in one transaction, and only for the process that holds the lead.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from bson import ObjectId, Timestamp
from mongoengine import get_connection, get_db
from msgspec import Struct
from pymongo import DeleteOne, MongoClient, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from products_app.documents.transactions import DURABLE

WATCH, WATCHED = "stock_watch", "watched_products"
LEASE_SECONDS = 10.0
"""How long a leader that has died or hangs keeps the lead."""

Position = Mapping[str, Any] | Timestamp
"""A resume token of a change stream, or the time after which the changes are to be read."""

_ID = {"_id": "stock-watch"}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class LeadLost(Exception):
    """Another process leads now."""


class WatchedProduct(Struct, frozen=True, rename="camel"):
    """A product with a `lowStockAt` above 0, as the changes have left it so far."""

    name: str
    low_stock_at: int
    is_low: bool


class Fall(Struct, frozen=True, rename="camel"):
    """A product has fallen below its `lowStockAt`; `id` follows from the product and the change."""

    id: str
    product_id: str
    product_name: str
    stock: int
    low_stock_at: int
    time: datetime


class StoredWatch(Struct, frozen=True):
    """What the last leader has left: `position` is None before the first comparison."""

    position: Position | None
    unsent: Sequence[Fall]


Watched = dict[ObjectId, WatchedProduct]
Changed = Mapping[ObjectId, WatchedProduct | None]
"""Products as they are to be stored; None for those that are no longer watched."""


def take_lead(holder: str) -> StoredWatch | None:
    """Become the leader, or stay it; None while another process leads. Raises PyMongoError."""
    collection = _collection()
    free = {"$or": [{"holder": holder}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
    found = collection.find_one_and_update(_ID | free, [{"$set": {"holder": holder, "until": _until()}}])
    if found is None and collection.count_documents(_ID) == 0:
        collection.update_one(_ID, {"$setOnInsert": {"until": _LONG_AGO, "position": None}}, upsert=True)
        return take_lead(holder)
    if found is None:
        return None
    return StoredWatch(found["position"], msgspec.convert(found.get("unsent", []), list[Fall]))


def keep_lead(holder: str, position: Position | None) -> None:
    """Lead for another LEASE_SECONDS; all changes up to `position` are applied.

    Raises LeadLost and PyMongoError.
    """
    _write(holder, {"position": position})


def give_up_lead(holder: str) -> None:
    """Let another process lead at once. Raises PyMongoError."""
    _collection().update_one(_ID | {"holder": holder}, {"$set": {"until": _LONG_AGO}})


def load_watched() -> Watched:
    """The watched products by id. Raises PyMongoError."""
    documents: Iterable[dict[str, Any]] = get_db()[WATCHED].find()
    return {each["_id"]: msgspec.convert(each, WatchedProduct) for each in documents}


def record(holder: str, changed: Changed, unsent: Sequence[Fall], position: Position | None) -> None:
    """Store the changed products, what is to be told, and the position, all together.

    Raises LeadLost, with nothing stored, and PyMongoError.
    """
    client: MongoClient[Any] = get_connection()
    falls = msgspec.to_builtins(unsent, builtin_types=[datetime])
    with client.start_session() as session, session.start_transaction(write_concern=DURABLE):
        if writes := [_write_of(product, watched) for product, watched in changed.items()]:
            get_db()[WATCHED].bulk_write(writes, ordered=False, session=session)
        _write(holder, {"position": position, "unsent": falls}, session)


def record_told(holder: str) -> None:
    """Store that nothing is left to tell. Raises LeadLost, PyMongoError."""
    _write(holder, {"unsent": []})


def _write(holder: str, fields: Mapping[str, Any], session: ClientSession | None = None) -> None:
    literals = {name: {"$literal": value} for name, value in fields.items()}
    change = [{"$set": literals | {"until": _until()}}]
    if not _collection().update_one(_ID | {"holder": holder}, change, session=session).matched_count:
        raise LeadLost


def _write_of(product: ObjectId, watched: WatchedProduct | None) -> ReplaceOne[dict[str, Any]] | DeleteOne:
    if watched is None:
        return DeleteOne({"_id": product})
    return ReplaceOne({"_id": product}, msgspec.to_builtins(watched), upsert=True)


def _until() -> dict[str, Any]:
    """By the clock of MongoDB, so that the clocks of the processes do not matter."""
    return {"$add": ["$$NOW", int(LEASE_SECONDS * 1000)]}


def _collection() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = get_db()[WATCH]
    return collection
