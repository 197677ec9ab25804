"""Locked orders: read when they are locked, and written with their events in the same transaction."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from foundation.round_trips import one_round_trip, roll_back
from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_log import INSERT_EVENTS, LOCK, NewEvent, Origin, lock_keys
from orders_app.exceptions import OrderNotFound
from orders_app.models.payment_rows import write_payment_rows
from orders_app.models.rows import READ, UPDATE, changed_rows, documents_of_rows, read_documents
from orders_app.services.locked_order import LockedOrder

WRITE = f"""
WITH updated AS ({UPDATE})
{INSERT_EVENTS}
"""

Orders = dict[UUID, LockedOrder]


@contextmanager
def locked_orders(order_ids: Collection[UUID], origin: Origin) -> Iterator[Orders]:
    """Lock and read these orders in one transaction, and write their changes when the block ends.

    Gives those that exist, by id. After an exception in the block nothing is written.
    """
    with transaction.atomic():
        event_log.lock_orders(order_ids)
        orders = _locked(read_documents(order_ids), origin)
        yield orders
        rows, events = _changes(orders)
        if events:
            event_log.append_within(WRITE, [rows], events, connection)
        write_payment_rows([order.payment_rows for order in orders.values()], connection)


@contextmanager
def locked_order(order_id: UUID, origin: Origin) -> Iterator[LockedOrder]:
    """Lock a single order, as `locked_orders` does. Raises OrderNotFound."""
    with locked_orders([order_id], origin) as orders:
        if order_id not in orders:
            raise OrderNotFound(order_id)
        yield orders[order_id]


@contextmanager
def locked_orders_in_two_trips(
    order_ids: Collection[UUID], origin: Origin, database: BaseDatabaseWrapper
) -> Iterator[Orders]:
    """Do the same as `locked_orders`, with two round trips to PostgreSQL instead of five.

    `database` is a connection outside any transaction. The block must not use it: the transaction is not one
    of Django's.
    """
    try:
        orders = _locked(_lock_and_read(order_ids, database), origin)
        yield orders
        rows, events = _changes(orders)
        write_payment_rows([order.payment_rows for order in orders.values()], database)
    except BaseException:
        roll_back(database)
        raise
    if events:
        event_log.append_and_commit(WRITE, [rows], events, database)
    else:
        roll_back(database)


def _lock_and_read(order_ids: Collection[UUID], database: BaseDatabaseWrapper) -> dict[UUID, OrderDocument]:
    with database.cursor() as locking, database.cursor() as reading:
        with one_round_trip(database):
            locking.execute("BEGIN")
            locking.execute(LOCK, [lock_keys(order_ids)])
            reading.execute(READ, [list(order_ids)])
        return documents_of_rows(reading.fetchall())


def _locked(documents: dict[UUID, OrderDocument], origin: Origin) -> Orders:
    now = timezone.now()
    return {order_id: LockedOrder(document, origin, now) for order_id, document in documents.items()}


def _changes(orders: Orders) -> tuple[str, list[NewEvent]]:
    """The rows of the changed orders as JSON, and their events."""
    changed = [order for order in orders.values() if order.events]
    events = [event for order in changed for event in order.events]
    return changed_rows([order.document for order in changed]), events
