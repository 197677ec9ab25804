"""The log of all changes of orders: written in the transaction that makes a change, read on from a position.

Readers see events in the order (tx, id), and only those older than every transaction still at work, so that
nothing can commit later before a place they have passed. The versions of an order stand in that order because
whoever changes orders locks them, all at once, before the transaction has an id (`lock_orders`).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from msgspec import Struct

from orders_app import event_data, log_bell
from orders_app.document import OrderChanges, OrderDocument, apply_changes
from orders_app.event_data import EventData, EventType
from orders_app.exceptions import BrokenHistory, LockedTooLate
from orders_app.models.rows import as_json


class Position(NamedTuple):
    """A place in the log: that of an event, named by its transaction and its id."""

    tx: int
    id: int


START = Position(0, 0)


class Origin(Struct, frozen=True):
    """Who causes a change, and the W3C traceparent it came with.

    The actor is `customer:<id>`, `staff:<id>` or `service:<name>`.
    """

    actor: str
    trace_parent: str = ""


class NewEvent(Struct, frozen=True):
    """An event to be appended; its fields are the columns of the log."""

    order_id: UUID
    version: int
    type: EventType
    user_id: int
    data: EventData
    actor: str
    trace_parent: str
    created_at: datetime


class LoggedEvent(Struct, frozen=True):
    """An event of the log; `data` is JSON, typed by `event_data.decode`."""

    tx: int
    id: int
    order_id: UUID
    version: int
    type: EventType
    user_id: int
    data: bytes
    actor: str
    trace_parent: str
    created_at: datetime

    @property
    def event_id(self) -> str:
        """The event's name for the world outside."""
        return f"{self.order_id}:{self.version}"

    @property
    def position(self) -> Position:
        """Where a reader that is done with this event reads on."""
        return Position(self.tx, self.id)


def lock_orders(order_ids: Iterable[UUID]) -> None:
    """Lock these orders until the transaction ends, waiting for whoever holds one.

    Call it in a transaction, once, for all the orders to be changed, before the first write. Raises
    LockedTooLate outside a transaction and where the transaction has an id already: its events would then
    stand in the log before those of a transaction that this one waited for.
    """
    if not connection.in_atomic_block:
        raise LockedTooLate("orders are locked inside a transaction")
    keys = sorted({_lock_key(order_id) for order_id in order_ids})
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [keys])
        if any(assigned is not None for assigned, _ in cursor.fetchall()):
            raise LockedTooLate("orders are locked before the transaction's first write")


_LOCK = """
SELECT pg_current_xact_id_if_assigned()::text, pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key
"""


def _lock_key(order_id: UUID) -> int:
    """The 64 bits of a UUIDv7 that are mostly random, signed as PostgreSQL wants them."""
    return int.from_bytes(order_id.bytes[8:], signed=True)


APPEND = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT order_id, version, type, user_id, data, actor, trace_parent, created_at
FROM json_populate_recordset(NULL::order_event, %s::json)
"""


def append(events: Sequence[NewEvent]) -> None:
    """Add these events, in their order, with one statement; the log's bell rings when they are committed."""
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [as_json(events)])
    transaction.on_commit(log_bell.ring)


# The time as microseconds: reading a timestamp takes longer than all other columns together.
_COLUMNS = """tx, id, order_id, version, type, user_id, data, actor, trace_parent,
(extract(epoch FROM created_at) * 1000000)::bigint"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READ_AFTER = f"""
SELECT {_COLUMNS} FROM order_event
WHERE (tx, id) > (%s::xid8, %s) AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, id LIMIT %s
"""  # noqa: S608 - only the names of columns are put in
_READ_USER_AFTER = f"""
SELECT {_COLUMNS} FROM order_event
WHERE user_id = %s AND (tx, id) > (%s::xid8, %s) AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, id LIMIT %s
"""  # noqa: S608 - only the names of columns are put in
_HISTORY = f"""
SELECT {_COLUMNS} FROM order_event WHERE order_id = ANY(%s) ORDER BY order_id, version
"""  # noqa: S608 - only the names of columns are put in
_END = """
SELECT tx, id FROM order_event WHERE tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx DESC, id DESC LIMIT 1
"""
_LAST = "SELECT tx, id FROM order_event ORDER BY tx DESC, id DESC LIMIT 1"
_FIND = "SELECT tx, id FROM order_event WHERE order_id = %s AND version = %s"
_OLDEST_UNREAD = "SELECT created_at FROM order_event WHERE (tx, id) > (%s::xid8, %s) ORDER BY tx, id LIMIT 1"
_STORED = "SELECT tx, event_id FROM reader_position WHERE reader = %s"
_STORE = """
INSERT INTO reader_position (reader, tx, event_id, updated_at) VALUES (%s, %s::xid8, %s, now())
ON CONFLICT (reader) DO UPDATE
SET tx = excluded.tx, event_id = excluded.event_id, updated_at = excluded.updated_at
"""


def read_after(position: Position, limit: int) -> list[LoggedEvent]:
    """The next events after this position, at most `limit`, in the log's order."""
    return _events(_READ_AFTER, [str(position.tx), position.id, limit])


def read_user_after(user_id: int, position: Position, limit: int) -> list[LoggedEvent]:
    """The next events of this user's orders after this position, at most `limit`, in the log's order."""
    return _events(_READ_USER_AFTER, [user_id, str(position.tx), position.id, limit])


def history(order_id: UUID) -> list[LoggedEvent]:
    """All events of an order by version; none for an order that never was."""
    return _events(_HISTORY, [[order_id]])


def histories(order_ids: Sequence[UUID]) -> list[LoggedEvent]:
    """All events of these orders, by order and version."""
    return _events(_HISTORY, [list(order_ids)])


def end_position() -> Position:
    """The position of the last event that can be read now: who reads on from it gets all that comes later."""
    row = _row(_END, [])
    return _position(row) if row else START


def last_position() -> Position:
    """The position of the last event there is, whether it can be read yet or not."""
    row = _row(_LAST, [])
    return _position(row) if row else START


def find_position(event_id: str) -> Position | None:
    """Where the event with this name (`<order id>:<version>`) stands; None where there is none."""
    order_id, _, version = event_id.rpartition(":")
    try:
        row = _row(_FIND, [UUID(order_id), int(version)])
    except ValueError:
        return None
    return _position(row) if row else None


def oldest_unread_age(position: Position) -> float:
    """How many seconds ago the first event after this position happened; 0 where there is none.

    Events that cannot be read yet, because an older transaction is still at work, count too.
    """
    row = _row(_OLDEST_UNREAD, [str(position.tx), position.id])
    return max(0.0, (timezone.now() - row[0]).total_seconds()) if row else 0.0


def stored_position(reader: str) -> Position:
    """How far this reader has come; the start for a new one."""
    row = _row(_STORED, [reader])
    return _position(row) if row else START


def store_position(reader: str, position: Position) -> None:
    """Note how far this reader has come."""
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [reader, str(position.tx), position.id])


def rebuild(events: Iterable[LoggedEvent]) -> OrderDocument:
    """The order as the API shows it after the last of these events: its versions from 1 on, none left out.

    Raises BrokenHistory where they are not that.
    """
    document: OrderDocument | None = None
    for event in events:
        document = fold(document, event)
    if document is None:
        raise BrokenHistory("nothing")
    return document


def fold(document: OrderDocument | None, event: LoggedEvent) -> OrderDocument:
    """The order after this event; `document` is the order at the version before, None before the first.

    Raises BrokenHistory where the event is not the next one.
    """
    changes = event_data.decode(event.type, event.data).changes
    if document is None and event.version == 1 and isinstance(changes, OrderDocument):
        return changes
    if document is not None and event.version == document.version + 1 and isinstance(changes, OrderChanges):
        return apply_changes(changes, document, event.version)
    raise BrokenHistory(event.event_id)


def _events(sql: str, parameters: Sequence[Any]) -> list[LoggedEvent]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [_event(row) for row in cursor.fetchall()]


def _event(row: Sequence[Any]) -> LoggedEvent:
    tx, number, order_id, version, kind, user_id, data, actor, trace_parent, micros = row
    return LoggedEvent(
        int(tx),
        number,
        order_id,
        version,
        EventType(kind),
        user_id,
        data.encode(),
        actor,
        trace_parent,
        _EPOCH + timedelta(microseconds=micros),
    )


def _row(sql: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _position(row: tuple[str, int]) -> Position:
    return Position(int(row[0]), row[1])
