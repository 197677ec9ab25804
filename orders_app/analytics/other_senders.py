"""Orders of other senders: messages may be about them, and the order log has no events of theirs."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from orders_app import event_log
from orders_app.analytics.copies import Copy, other_copy
from orders_app.analytics.facts import VersionedMessage
from orders_app.analytics.writing import keep_rows

SLICE_ORDERS = 2000
_NEXT_ORDERS = """
SELECT order_id FROM analytics_order_{copy} WHERE order_id > %s ORDER BY order_id LIMIT %s
"""


def believed(messages: Sequence[VersionedMessage]) -> list[VersionedMessage]:
    """These messages without those that another sender sent about an order of the log: they may be forged.

    Asks the log once, and only where there are messages of other senders. Raises the errors of the database.
    """
    claimed = {message.value.order_id for message in messages if not message.is_ours}
    uuids = {order_id: uuid for order_id in claimed if (uuid := _uuid(order_id))}
    logged = event_log.with_events(set(uuids.values())) if uuids else set()
    return [
        message for message in messages if message.is_ours or uuids.get(message.value.order_id) not in logged
    ]


def _uuid(order_id: str) -> UUID | None:
    try:
        return UUID(order_id)
    except ValueError:
        return None


def keep_orders_without_events(copy: Copy) -> None:
    """Take over from the other copy, which is in use, the rows of orders of which the log has no event.

    For figures that are made from the log. What the worker writes meanwhile is in both copies, and putting a
    row together with itself changes nothing.
    """
    last = UUID(int=0)
    while order_ids := _next_orders(other_copy(copy), last):
        if kept := set(order_ids) - event_log.with_events(order_ids):
            with transaction.atomic():
                keep_rows(copy, kept)
        last = order_ids[-1]


def _next_orders(copy: Copy, last: UUID) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_ORDERS.format(copy=copy), [last, SLICE_ORDERS])
        return [order_id for (order_id,) in cursor.fetchall()]
