"""The stock ledger: one entry for each order, with what the order holds and what it was answered.

    {"_id": "<order id>", "status": "reserved", "updatedAt": …,
     "lines": {"<product id>": {"quantity": 2, "held": 2, "newStock": 40}}}

Entries are plain dictionaries and not mongoengine documents, because a batch reads and writes a thousand.
"""

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, get_args

import msgspec
from mongoengine import get_db
from pymongo.collection import Collection

from products_app.exceptions import EntryUnreadable

LEDGER = "stock_ledger"

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
    """

    _id: str
    status: EntryStatus
    lines: dict[str, LedgerLine]
    failures: NotRequired[list[dict[str, Any]]]
    returned: NotRequired[list[dict[str, Any]]]
    updatedAt: NotRequired[datetime]


def read_entry(document: Any) -> LedgerEntry:
    """The entry in a document of the ledger. Raises EntryUnreadable where it is none."""
    try:
        msgspec.convert(document, LedgerEntry)
    except msgspec.ValidationError as error:
        raise EntryUnreadable(str(document["_id"]), str(error)) from error
    entry: LedgerEntry = document
    return entry


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


def ledger_collection() -> Collection[LedgerEntry]:
    """The ledger's collection."""
    collection: Collection[LedgerEntry] = get_db()[LEDGER]
    return collection
