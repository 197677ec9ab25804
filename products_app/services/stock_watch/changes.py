"""Reads the writes of all programs to the catalogue by MongoDB's change stream, or all products at once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from bson import ObjectId, Timestamp
from mongoengine import get_db
from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import NetworkTimeout, OperationFailure

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.product import PRODUCTS, product_collection
from products_app.documents.stock_watch import Position
from products_app.exceptions import CatalogueUnavailable
from products_app.services.stock_watch.levels import WATCHED_FIELDS, Change

MOST_CHANGES = 1_000
"""How many changes are applied together, and how many products of a comparison."""
WAIT_MS = 250
"""How long a read waits for a change."""
READ_SECONDS = 0.01
"""How long a read goes on while there are changes: each that comes alone costs a round trip."""

Event = Mapping[str, Any]

_SNAPSHOT_UNAVAILABLE = {239, 246}  # too old; or the collection itself was changed after it
_ENDED = ("drop", "rename", "dropDatabase", "invalidate")
_SET, _REMOVED = "updateDescription.updatedFields", "updateDescription.removedFields"
_MATCH = {
    "$or": [
        {"operationType": {"$in": ["insert", "replace", "delete", *_ENDED]}},
        *({f"{_SET}.{field}": {"$exists": True}} for field in WATCHED_FIELDS),
        {_REMOVED: "lowStockAt"},
    ]
}
_NEEDED = [
    *("operationType", "clusterTime", "wallTime", "documentKey", _REMOVED),
    *(f"{document}.{field}" for document in (_SET, "fullDocument") for field in WATCHED_FIELDS),
]
_PIPELINE: list[dict[str, Any]] = [{"$match": _MATCH}, {"$project": dict.fromkeys(_NEEDED, 1)}]


class HistoryLost(CatalogueUnavailable):
    """The changes after the position cannot be read any more."""


class ChangeReader:
    """The changes after a position, in the order in which they were written.

    `position` is where the changes that were read end. Methods raise HistoryLost and CatalogueUnavailable.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self._ahead: Event | None = None
        start = "start_at_operation_time" if isinstance(position, Timestamp) else "resume_after"
        options: dict[str, Any] = {start: position, "max_await_time_ms": WAIT_MS}
        with _telling_of_lost_history():
            try:
                self._stream: CollectionChangeStream[dict[str, Any]] = product_collection().watch(
                    _PIPELINE, **options
                )
            except NetworkTimeout as error:
                # So far back that MongoDB takes longer than a socket waits to read from there to now.
                raise HistoryLost(str(error)) from error

    def read(self) -> list[Change]:
        """The changes that there are, about MOST_CHANGES at most; waits WAIT_MS where there are none."""
        with _telling_of_lost_history():
            events = list(self._events())
        if any(event["operationType"] in _ENDED for event in events):
            raise HistoryLost("the collection was dropped or renamed")
        return [_change(event) for event in events if isinstance(event["documentKey"]["_id"], ObjectId)]

    def close(self) -> None:
        """Give the cursor back."""
        self._stream.close()

    def _events(self) -> Iterator[Event]:
        """The next events; those of one transaction, which have the same time, are not torn apart."""
        count, last, end = 0, None, monotonic() + READ_SECONDS
        while event := self._next():
            is_enough = count >= MOST_CHANGES or (count and monotonic() > end)
            if is_enough and event.get("clusterTime") != last:
                self._ahead = event
                return
            count, last, self.position = count + 1, event.get("clusterTime"), event["_id"]
            yield event
        self.position = self._stream.resume_token or self.position

    def _next(self) -> Event | None:
        event, self._ahead = self._ahead or self._stream.try_next(), None
        return event


@contextmanager
def _telling_of_lost_history() -> Iterator[None]:
    try:
        with translating_mongodb_errors():
            yield
    except OperationFailure as error:
        # MongoDB refuses the position: it is older than the oplog, or is no resume token.
        raise HistoryLost(str(error)) from error


def _change(event: Event) -> Change:
    product, at = event["documentKey"]["_id"], event["clusterTime"]
    time = event.get("wallTime") or at.as_datetime()
    if event["operationType"] == "delete":
        return Change(product, at, time, None)
    if event["operationType"] != "update":
        return Change(product, at, time, event.get("fullDocument", {}), has_all_fields=True)
    described = event.get("updateDescription", {})
    fields: dict[str, Any] = described.get("updatedFields", {})
    if "lowStockAt" in fields or "lowStockAt" in described.get("removedFields", ()):
        # The change does not tell the stock, or not all that the watch must know from now on.
        return Change(product, at, time, _product_at(product, at), has_all_fields=True)
    return Change(product, at, time, fields)


def _product_at(product: ObjectId, at: Timestamp) -> Event | None:
    """The watched fields of a product at this time; as they are now where MongoDB no longer knows that."""
    try:
        found = list(_find_at({"_id": product}, at))
    except OperationFailure as error:
        if error.code not in _SNAPSHOT_UNAVAILABLE:
            raise
        found = list(product_collection().find({"_id": product}, WATCHED_FIELDS))
    return found[0] if found else None


def now_in_mongodb() -> Timestamp:
    """The time of the last write. Raises PyMongoError."""
    at: Timestamp = get_db().command("ping")["operationTime"]
    return at


def first_after(at: Timestamp) -> Timestamp:
    """The earliest time of a write after `at`."""
    return Timestamp(at.time, at.inc + 1)


def products_at(at: Timestamp) -> Iterator[Change]:
    """Every product with a `lowStockAt` above 0, as it was at this time.

    Raises CatalogueUnavailable where MongoDB does not know that any more, or not yet, and PyMongoError.
    """
    time = datetime.now(UTC)
    try:
        for document in _find_at({"lowStockAt": {"$gt": 0}, "_id": {"$type": "objectId"}}, at):
            yield Change(document["_id"], at, time, document, has_all_fields=True)
    except OperationFailure as error:
        if error.code not in _SNAPSHOT_UNAVAILABLE:
            raise
        raise CatalogueUnavailable(str(error)) from error


def _find_at(query: Mapping[str, Any], at: Timestamp) -> Iterator[Event]:
    command = {
        "find": PRODUCTS,
        "filter": query,
        "projection": dict.fromkeys(WATCHED_FIELDS, 1),
        "batchSize": MOST_CHANGES,
        "readConcern": {"level": "snapshot", "atClusterTime": at},
    }
    return iter(get_db().cursor_command(command))
