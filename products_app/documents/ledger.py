"""The stock ledger: one entry for each order, with what the order holds and what it was answered.

    {"_id": "<order id>", "status": "reserved", "updatedAt": …,
     "lines": {"<product id>": {"quantity": 2, "held": 2, "newStock": 40}}}

Entries are plain dictionaries and not mongoengine documents, because a batch reads and writes a thousand.
"""

import re
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, get_args

import msgspec
from mongoengine import get_db
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collection import Collection

from products_app.exceptions import EntryUnreadable

LEDGER = "stock_ledger"
EXTERNAL_HOLDS = "external_holds"
"""The name of the index of orders of external services by the products that they hold."""

EntryStatus = Literal["open", "reserved", "rejected", "released"]


class RecordedRelease(TypedDict):
    """A request to release `quantity` of a line, and the pieces that it gave back."""

    quantity: int
    returned: int
    newStock: int


class LedgerLine(TypedDict):
    """The pieces of a product that an order reserved and still holds; `newStock` is the stock right after.

    `quantity` is 0 if the line was released before it was reserved: it cannot be reserved any more. `apart`
    marks a line that was reserved or released by a request of its own (HTTP) and does not appear in the
    answer to the order as a whole. `key` is the service key that reserved it (`ServiceKey.owner`); a line
    without one was reserved by a message, or, where it is `apart`, before keys were recorded.
    """

    quantity: int
    held: int
    newStock: int
    apart: NotRequired[bool]
    key: NotRequired[str]
    returns: NotRequired[list[RecordedRelease]]


class LedgerEntry(TypedDict):
    """The state of one order. `open`: so far it has only lines that were requested one by one.

    `failures` belong to the status `rejected`, `returned` to `released`; both as in the Kafka message.
    `externalHolds` is in entries of orders of external services alone: the products of which it holds pieces.
    Their index finds the orders that hold a product; our own orders are found by their rows.
    """

    _id: str
    status: EntryStatus
    lines: dict[str, LedgerLine]
    failures: NotRequired[list[dict[str, Any]]]
    returned: NotRequired[list[dict[str, Any]]]
    updatedAt: NotRequired[datetime]
    externalHolds: NotRequired[list[str]]


INDEXES = [
    IndexModel(
        [("externalHolds", ASCENDING), ("updatedAt", DESCENDING), ("_id", DESCENDING)],
        name=EXTERNAL_HOLDS,
        partialFilterExpression={"externalHolds": {"$gt": ""}},
    )
]
"""An entry of ours is in none of them, so that settling our orders costs nothing more."""


def read_entry(document: Any) -> LedgerEntry:
    """The entry in a document of the ledger. Raises EntryUnreadable where it is none."""
    try:
        msgspec.convert(document, LedgerEntry)
    except msgspec.ValidationError as error:
        raise EntryUnreadable(str(document["_id"]), str(error)) from error
    entry: LedgerEntry = document
    return entry


def external_holds_of(product_id: str) -> dict[str, Any]:
    """The condition that an order of an external service holds pieces of the product."""
    return {"externalHolds": product_id, f"lines.{product_id}.held": {"$gt": 0}}


_COUNT = {"bsonType": ["int", "long"]}
READABLE: dict[str, Any] = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["_id", "status", "lines"],
        "properties": {
            "_id": {"bsonType": "string"},
            "status": {"enum": list(get_args(EntryStatus))},
            "lines": {
                "bsonType": "object",
                "additionalProperties": {
                    "bsonType": "object",
                    "required": ["quantity", "held", "newStock"],
                    "properties": {"quantity": _COUNT, "held": _COUNT, "newStock": _COUNT},
                },
            },
        },
    }
}
"""The query for entries that the audit can read."""

OUR_IDS = re.compile("^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
"""The form of our own order ids, UUIDv7."""


def mark_external_orders() -> None:
    """Mark the entries that are older than `externalHolds` and that no order of ours can have written.

    These have a line that was reserved by a service key, or an order id that is not of our form; the products
    that they hold are read from their lines. Doing it again changes nothing.
    """
    lines = {"$objectToArray": "$lines"}
    by_key = {
        "$anyElementTrue": {"$map": {"input": lines, "in": {"$ne": [{"$type": "$$this.v.apart"}, "missing"]}}}
    }
    is_external = {"$or": [by_key, {"$not": {"$regexMatch": {"input": "$_id", "regex": OUR_IDS.pattern}}}]}
    held = {"$filter": {"input": lines, "cond": {"$gt": ["$$this.v.held", 0]}}}
    holds = {"$map": {"input": held, "in": "$$this.k"}}
    ledger_collection().update_many(
        {"externalHolds": {"$exists": False}, **READABLE, "$expr": is_external},
        [{"$set": {"externalHolds": holds}}],
    )


def ledger_collection() -> Collection[LedgerEntry]:
    """The ledger's collection."""
    collection: Collection[LedgerEntry] = get_db()[LEDGER]
    return collection
