"""The partitions of the order log: this month and the next always have theirs (migration 0009)."""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

_LAST = """
SELECT order_id_time(upper_bound) < order_log_month(2),
    extract(epoch FROM order_id_time(upper_bound) - now())::float8
FROM order_event_partition WHERE upper_bound IS NOT NULL
ORDER BY upper_bound DESC LIMIT 1
"""
LOCK_SECONDS = 0.2
"""For how long an order may wait because a partition waits to be added or moved to the archive."""


def add_due_partitions() -> list[str]:
    """Add the partitions that this month and the next lack; returns their names.

    Raises django.db.OperationalError where the log is in use all the time, to be tried again later. Until
    then orders go to the default partition.
    """
    added = []
    while _last()[0]:
        with transaction.atomic(), connection.cursor() as cursor:
            limit_waits_for_locks(cursor)
            cursor.execute("SELECT order_event_add_partition()")
            added.append(cursor.fetchone()[0])
    return added


def seconds_ahead() -> float:
    """How long from now on orders will find a partition of their month."""
    return _last()[1]


def limit_waits_for_locks(cursor: CursorWrapper) -> None:
    """Let the transaction wait for each lock for at most LOCK_SECONDS."""
    cursor.execute(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}")


def _last() -> tuple[bool, float]:
    """Whether the last partition ends too soon, and in how many seconds it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        row: tuple[bool, float] = cursor.fetchone()
    return row
