"""Reading the order log: after a position, or the events of an order."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from msgspec import Struct

from orders_app.event_data import EventType
from orders_app.event_log.horizon import HORIZON
from orders_app.event_log.position import Position
from orders_app.event_log.statements import rows_of


class LoggedEvent(Struct, frozen=True):
    """An event of the log; `data` is JSON, typed by `event_effects.decode`.

    A type that only a newer version knows is here as its text, which `event_effects` refuses.
    """

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
        """The event's id outside this database."""
        return f"{self.order_id}:{self.version}"

    @property
    def position(self) -> Position:
        """Where a reader continues after this event."""
        return Position(self.tx, self.id)


# The time as microseconds: reading a timestamp takes longer than all other columns together.
_COLUMNS = """tx, id, order_id, version, type, user_id, data, actor, trace_parent,
(extract(epoch FROM created_at) * 1000000)::bigint"""
_EVENT_TYPES: dict[str, EventType] = {event_type.value: event_type for event_type in EventType}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In a function of the database (migration 0009), which plans it once for all partitions.
_READ_AFTER = f"SELECT {_COLUMNS} FROM order_events_after(%s::xid8, %s, %s)"  # noqa: S608 - columns
_READ_USER_AFTER = f"""
SELECT {_COLUMNS} FROM order_event
WHERE user_id = %s AND (tx, id) > (%s::xid8, %s) AND tx < {HORIZON}
ORDER BY tx, id LIMIT %s
"""  # noqa: S608 - only names of columns and the function are put in
_HISTORY = f"""
SELECT {_COLUMNS} FROM order_history WHERE order_id = ANY(%s) ORDER BY order_id, version
"""  # noqa: S608 - only names of columns and the function are put in
_READ_BY_ORDER = f"""
SELECT {_COLUMNS} FROM order_history WHERE (order_id, version) > (%s, %s) ORDER BY order_id, version LIMIT %s
"""  # noqa: S608 - only names of columns are put in
_WITH_EVENTS = "SELECT DISTINCT order_id FROM order_history WHERE order_id = ANY(%s)"
_OLDEST_UNREAD = "SELECT created_at FROM order_event WHERE (tx, id) > (%s::xid8, %s) ORDER BY tx, id LIMIT 1"
_COUNT_UNREAD = """
SELECT count(*) FROM (
    SELECT FROM order_event WHERE (tx, id) > (%s::xid8, %s) ORDER BY tx, id LIMIT %s
) unread
"""


def read_after(position: Position, limit: int) -> list[LoggedEvent]:
    """The next events after this position, at most `limit`, in the log's order."""
    return _events(_READ_AFTER, [str(position.tx), position.id, limit])


def read_user_after(user_id: int, position: Position, limit: int) -> list[LoggedEvent]:
    """The next events of this user's orders after this position, at most `limit`, in the log's order."""
    return _events(_READ_USER_AFTER, [user_id, str(position.tx), position.id, limit])


def history(order_id: UUID) -> list[LoggedEvent]:
    """All events of an order by version, archived or not; none for an order that never existed."""
    return _events(_HISTORY, [[order_id]])


def histories(order_ids: Sequence[UUID]) -> list[LoggedEvent]:
    """All events of these orders, archived or not, by order and version."""
    return _events(_HISTORY, [list(order_ids)])


def with_events(order_ids: Collection[UUID]) -> set[UUID]:
    """Those of these orders that have events, archived or not."""
    return {order_id for (order_id,) in rows_of(_WITH_EVENTS, [list(order_ids)])}


def read_by_order(order_id: UUID, version: int, limit: int) -> list[LoggedEvent]:
    """The next events after this one by order and version, archived or not, at most `limit`.

    Events that are committed meanwhile may be missed.
    """
    return _events(_READ_BY_ORDER, [order_id, version, limit])


def oldest_unread_age(position: Position) -> float:
    """How many seconds ago the first event after this position happened; 0 where there is none.

    Counts events too that cannot be read yet because an older transaction is still open.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_UNREAD, [str(position.tx), position.id])
        row = cursor.fetchone()
    return max(0.0, (timezone.now() - row[0]).total_seconds()) if row else 0.0


def count_unread(position: Position, most: int | None = None) -> int:
    """How many events are after this position, counted up to `most`.

    Counts events too that cannot be read yet because an older transaction is still open.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_UNREAD, [str(position.tx), position.id, most])
        return int(cursor.fetchone()[0])


def _events(sql: str, parameters: Sequence[Any]) -> list[LoggedEvent]:
    return [_event(row) for row in rows_of(sql, parameters)]


def _event(row: Sequence[Any]) -> LoggedEvent:
    tx, number, order_id, version, event_type, user_id, data, actor, trace_parent, microseconds = row
    return LoggedEvent(
        int(tx),
        number,
        order_id,
        version,
        _EVENT_TYPES.get(event_type, event_type),
        user_id,
        data.encode(),
        actor,
        trace_parent,
        _EPOCH + timedelta(microseconds=microseconds),
    )
