"""Appending events to the order log: the only code that writes to it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Struct

from foundation.round_trips import one_round_trip
from orders_app.document import OrderDocument
from orders_app.event_data import EventData, EventType
from orders_app.event_log.wake_up import notify_in_same_trip, notify_readers
from orders_app.models.rows import as_json


class Origin(Struct, frozen=True):
    """Who causes a change, and the W3C traceparent of the request.

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


def new_event(
    event_type: EventType, data: EventData, order: OrderDocument, origin: Origin, created_at: datetime
) -> NewEvent:
    """The event that leads to this version of the order."""
    return NewEvent(
        order_id=order.id,
        version=order.version,
        type=event_type,
        user_id=int(order.user_id),
        data=data,
        actor=origin.actor,
        trace_parent=origin.trace_parent,
        created_at=created_at,
    )


INSERT_EVENTS = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT order_id, version, type, user_id, data, actor, trace_parent, created_at
FROM json_populate_recordset(NULL::order_event, %s::json)
"""


def append(events: Sequence[NewEvent]) -> None:
    """Append these events, in their order, with one statement on the connection of this thread."""
    append_within(INSERT_EVENTS, [], events, connection)


def append_within(
    statement: str, parameters: Sequence[str], events: Sequence[NewEvent], database: BaseDatabaseWrapper
) -> list[tuple[Any, ...]]:
    """Append events by a statement that writes other rows too; the rows that it returns.

    The statement contains INSERT_EVENTS, whose parameter follows the given ones. The readers of the log are
    woken when it is committed: at once where no transaction is open.
    """
    with database.cursor() as cursor:
        cursor.execute(statement, [*parameters, as_json(events)])
        rows = cursor.fetchall() if cursor.description else []
    database.on_commit(partial(notify_readers, database))
    return rows


def append_and_commit(
    statement: str, parameters: Sequence[str], events: Sequence[NewEvent], database: BaseDatabaseWrapper
) -> None:
    """Append events as `append_within` does, commit the transaction and wake the readers, in one round trip.

    The transaction was begun by BEGIN, and is not one of Django's. After an error it may be committed.
    """
    with database.cursor() as cursor, one_round_trip(database):
        cursor.execute(statement, [*parameters, as_json(events)])
        cursor.execute("COMMIT")
        notify_in_same_trip(cursor)
