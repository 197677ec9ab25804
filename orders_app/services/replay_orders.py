"""Comparing the rows of orders with their events in the order log, and rewriting rows from the events."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db import connection, transaction
from msgspec import DecodeError, Struct, to_builtins

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent
from orders_app.exceptions import BrokenHistory
from orders_app.fold import rebuild_order
from orders_app.models import Order, OrderItem
from orders_app.models.rows import columns_of, item_rows, read_documents

BEFORE_ALL = UUID(int=0)


class Difference(Struct, frozen=True):
    """A field of an order in which its row and its events differ; None where one of them has no order."""

    order_id: UUID
    field: str
    row: object
    log: object


class ComparedSlice(Struct, frozen=True):
    """The orders of one slice, by id, and the differences found."""

    order_ids: Sequence[UUID]
    differences: Sequence[Difference]


def compare_slices(size: int) -> Iterator[ComparedSlice]:
    """Compare every order that has a row or events, `size` at a time.

    Changes made at the same time are not reported as differences.
    """
    order_ids = _next_ids(BEFORE_ALL, size)
    while order_ids:
        yield ComparedSlice(order_ids, compare_orders(order_ids))
        order_ids = _next_ids(order_ids[-1], size)


def compare_orders(order_ids: Sequence[UUID]) -> list[Difference]:
    """The differences between the rows of these orders and their events, all read from one snapshot.

    Read only, so that the transaction gets no id: with one, readers of the log would wait for its end.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rows = read_documents(order_ids)
        histories = {
            order_id: list(events)
            for order_id, events in groupby(event_log.histories(order_ids), attrgetter("order_id"))
        }
    return [
        difference
        for order_id in order_ids
        for difference in _differences(order_id, rows.get(order_id), histories.get(order_id, []))
    ]


def rewrite_order(order_id: UUID) -> None:
    """Rewrite the row and items of this order from its events; the row of a deleted order is deleted.

    Raises BrokenHistory where the events are not a complete history, and msgspec.DecodeError where one cannot
    be read.
    """
    with transaction.atomic():
        event_log.lock_orders([order_id])
        document = _from_events(event_log.history(order_id))
        if document is None:
            Order.objects.filter(pk=order_id).delete()
            return
        Order.objects.update_or_create(pk=order_id, defaults=columns_of(document))
        OrderItem.objects.filter(order_id=order_id).delete()
        OrderItem.objects.bulk_create(OrderItem(**row) for row in item_rows(document))


_NEXT_IDS = """
(SELECT id FROM orders_order WHERE id > %(after)s ORDER BY id LIMIT %(size)s)
UNION (
    SELECT DISTINCT order_id FROM order_history WHERE order_id > %(after)s ORDER BY order_id LIMIT %(size)s
)
ORDER BY id LIMIT %(size)s
"""


def _next_ids(after: UUID, size: int) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_IDS, {"after": after, "size": size})
        return [order_id for (order_id,) in cursor.fetchall()]


def _differences(
    order_id: UUID, row: OrderDocument | None, events: Sequence[LoggedEvent]
) -> Iterator[Difference]:
    try:
        logged = _fields(_from_events(events))
    except (BrokenHistory, DecodeError) as error:
        yield Difference(order_id, "history", None, str(error))
        return
    stored = _fields(row)
    for field in logged | stored:
        if stored.get(field) != logged.get(field):
            yield Difference(order_id, field, stored.get(field), logged.get(field))


def _from_events(events: Sequence[LoggedEvent]) -> OrderDocument | None:
    """The order after these events; None once it is deleted. Raises BrokenHistory."""
    document = rebuild_order(events)
    return None if events[-1].type == EventType.DELETED else document


def _fields(document: OrderDocument | None) -> dict[str, object]:
    return to_builtins(document) if document else {}
