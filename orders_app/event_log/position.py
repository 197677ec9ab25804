"""Positions in the order log, and how far each reader has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from orders_app.event_log.horizon import HORIZON


class Position(NamedTuple):
    """The place of an event in the log: its transaction and its id."""

    tx: int
    id: int


START = Position(0, 0)
RELAY_READER = "outbox-relay"
"""The name of the relay among the readers of the order log."""

_END = f"""
SELECT tx, id FROM order_event WHERE tx < {HORIZON} ORDER BY tx DESC, id DESC LIMIT 1
"""  # noqa: S608 - only the function is put in
_LAST = "SELECT tx, id FROM order_event ORDER BY tx DESC, id DESC LIMIT 1"
_FIND = "SELECT tx, id FROM order_event WHERE order_id = %s AND version = %s"
_FIRST_SINCE = "SELECT tx, id FROM order_event WHERE created_at >= %s ORDER BY tx, id LIMIT 1"
_STORED = "SELECT tx, event_id FROM reader_position WHERE reader = %s"
_STORE = """
INSERT INTO reader_position (reader, tx, event_id, updated_at) VALUES (%s, %s::xid8, %s, now())
ON CONFLICT (reader) DO UPDATE
SET tx = excluded.tx, event_id = excluded.event_id, updated_at = excluded.updated_at
"""


def end_position() -> Position:
    """The position of the last event that can be read now: a reader continues after it without a gap."""
    return _select(_END, []) or START


def last_position() -> Position:
    """The position of the last event there is, whether it can be read yet or not."""
    return _select(_LAST, []) or START


def find_position(event_id: str) -> Position | None:
    """The position of the event with this id (`<order id>:<version>`); None where there is none."""
    order_id, _, version = event_id.rpartition(":")
    try:
        return _select(_FIND, [UUID(order_id), int(version)])
    except ValueError:
        return None


def position_before(time: datetime) -> Position | None:
    """The position after which the events since this time come; None where there are none."""
    first = _select(_FIRST_SINCE, [time])
    return Position(first.tx, first.id - 1) if first else None


def stored_position(reader: str) -> Position:
    """How far this reader has come; the start for a new one."""
    return _select(_STORED, [reader]) or START


def store_position(reader: str, position: Position) -> None:
    """Store how far this reader has come."""
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [reader, str(position.tx), position.id])


def _select(sql: str, parameters: Sequence[Any]) -> Position | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return Position(int(row[0]), row[1]) if row else None
