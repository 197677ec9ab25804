"""Redaction of events: the only change of what is in the log, and only for a recorded redaction (ADR 39).

Positions, versions, times and money stay as they are, so that no reader sees an event as new. The function
`redacted_event_data` of the database says what is replaced.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from orders_app.event_log.statements import rows_of, without_time_limit

# An event whose order has left the log is in the archive, or was appended after that and is in the log.
_TABLES = ("order_event", "order_event_archive")
_HOLDS_PERSONAL_DATA = "user_id = %(user)s AND redacted_event_data(actor, data) <> data"
_REDACT = f"""
UPDATE {{}} SET
    data = redacted_event_data(actor, data) || jsonb_build_object('redaction', %(redaction)s::bigint)
WHERE order_id = ANY(%(orders)s) AND {_HOLDS_PERSONAL_DATA}
RETURNING tableoid::regclass::text
"""  # noqa: S608 - texts of ours
_COUNT = f"""
SELECT count(*) FROM order_history WHERE order_id = ANY(%(orders)s) AND {_HOLDS_PERSONAL_DATA}
"""  # noqa: S608 - texts of ours
_ORDER_IDS = "SELECT DISTINCT order_id FROM order_history WHERE user_id = %s"


def redact_events(redaction_id: int, user_id: int, order_ids: Sequence[UUID]) -> Counter[str]:
    """Erase the personal data in the events of these orders of a user; how many events of which partition.

    Call it in a transaction that has locked the orders.
    """
    parameters = {"redaction": redaction_id, "user": user_id, "orders": list(order_ids)}
    return Counter(name for table in _TABLES for (name,) in rows_of(_REDACT.format(table), parameters))


def count_redactable(user_id: int, order_ids: Sequence[UUID]) -> int:
    """How many events of these orders of a user hold personal data."""
    number: int = rows_of(_COUNT, {"user": user_id, "orders": list(order_ids)})[0][0]
    return number


def order_ids_of(user_id: int) -> set[UUID]:
    """The ids of all orders of a user that have events, deleted and archived ones too.

    Reads the whole archive, which has no index of users.
    """
    with without_time_limit() as cursor:
        cursor.execute(_ORDER_IDS, [user_id])
        return {order_id for (order_id,) in cursor.fetchall()}
