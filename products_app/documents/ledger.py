"""The stock ledger: one entry an order, the truth of what it holds and of what it was answered.

    {"_id": "<order id>", "status": "reserved", "updatedAt": …,
     "lines": {"<product id>": {"quantity": 2, "held": 2, "newStock": 40}}}

Entries are plain dictionaries, because a batch reads and writes a thousand of them.
"""

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from mongoengine import get_db
from pymongo.collection import Collection

LEDGER = "stock_ledger"

EntryStatus = Literal["open", "reserved", "rejected", "released"]


class LedgerReturn(TypedDict):
    """What a request to release `quantity` of a line gave back."""

    quantity: int
    returned: int
    newStock: int


class LedgerLine(TypedDict):
    """What an order reserved of a product and still holds; `newStock` is what it left.

    `quantity` 0 is a tombstone: released before it was reserved. `apart` lines were reserved or released
    by themselves and are no part of the answer to the order as a whole.
    """

    quantity: int
    held: int
    newStock: int
    apart: NotRequired[bool]
    returns: NotRequired[list[LedgerReturn]]


class LedgerEntry(TypedDict):
    """All that is known of an order. `open`: it has only lines apart so far.

    `failures` belong to `rejected`, `returned` to `released`; both in the form they have on the wire.
    """

    _id: str
    status: EntryStatus
    lines: dict[str, LedgerLine]
    failures: NotRequired[list[dict[str, Any]]]
    returned: NotRequired[list[dict[str, Any]]]
    updatedAt: NotRequired[datetime]


def ledger_collection() -> Collection[LedgerEntry]:
    """The ledger."""
    collection: Collection[LedgerEntry] = get_db()[LEDGER]
    return collection
