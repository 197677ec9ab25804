"""How old the figures are: up to when the messages of each partition are in them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from msgspec import Struct

from orders_app import event_log
from orders_app.event_log import RELAY_READER

HandledUntil = Mapping[tuple[str, int], datetime]
"""By topic and partition: all messages of before this time are in the figures."""

# A time in the future, from a clock ahead, counts as now.
_STORE = """
INSERT INTO analytics_progress (topic, partition, handled_until)
SELECT topic, partition, least(handled_until, now())
FROM unnest(%s::text[], %s::int[], %s::timestamptz[]) AS told (topic, partition, handled_until)
ORDER BY topic, partition
ON CONFLICT (topic, partition) DO UPDATE
SET handled_until = greatest(analytics_progress.handled_until, excluded.handled_until)
"""
_OLDEST = "SELECT min(handled_until) FROM analytics_progress"


class Freshness(Struct, frozen=True):
    """Everything that happened to orders before `as_of` is in the figures, which are `lag_seconds` old."""

    as_of: datetime
    lag_seconds: float


def freshness() -> Freshness | None:
    """How old the figures are; None before the worker has run for the first time.

    Counts also what waits in the order log for the relay. While no worker runs, the figures age, even if
    nothing happens.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        (handled_until,) = cursor.fetchone()
    if handled_until is None:
        return None
    unread = event_log.oldest_unread_age(event_log.stored_position(RELAY_READER))
    as_of = min(handled_until, now - timedelta(seconds=unread))
    return Freshness(as_of, max(0.0, (now - as_of).total_seconds()))


def store_progress(handled_until: HandledUntil) -> None:
    """Record that the messages of these partitions are in the figures up to these times."""
    if not handled_until:
        return
    topics, partitions = zip(*handled_until, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [list(topics), list(partitions), list(handled_until.values())])
