"""Waiting until nothing is under way any more."""

import time

from confluent_kafka import KafkaException

from devtools.faults.arena import Arena
from devtools.faults.broker import TOPICS
from devtools.faults.journal import Journal
from kafka_workers.workers import GROUPS

QUIET_SECONDS = 60.0
_UNSETTLED = """
SELECT id::text, status, stock_status FROM orders_order
WHERE idempotency_key LIKE %s AND NOT (
    (stock_status = 'reserved' AND (status NOT IN (1, 5) OR (status = 1 AND payment_method <> 6)))
    OR (stock_status IN ('rejected', 'released') AND status = 5)
) ORDER BY id
"""
_UNPUBLISHED = """
SELECT count(*) FROM order_event WHERE (tx, id) > (
    SELECT coalesce(max(tx), '0'), coalesce(max(event_id), 0)
    FROM reader_position WHERE reader = 'outbox-relay'
)
"""
_LAST_EVENT = "SELECT coalesce(max(id), 0) FROM order_event"


def wait_until_quiet(arena: Arena, journal: Journal, seconds: float = QUIET_SECONDS) -> list[str]:
    """Returns when nothing is under way: no reasons; or after `seconds` with what still is."""
    end = time.monotonic() + seconds
    while reasons := _quiet_reasons(arena, journal):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return reasons


def _quiet_reasons(arena: Arena, journal: Journal) -> list[str]:
    """Why it is not quiet; no reason where nothing has moved while we looked at one part after another."""
    try:
        before = _fingerprint(arena)
        reasons = [*_unsettled(arena, journal), *_unpublished(arena), *_lags(arena)]
        return reasons or ([] if _fingerprint(arena) == before else ["there is still movement"])
    except KafkaException as error:
        return [f"Kafka does not say how far its groups are: {error}"]


def _fingerprint(arena: Arena) -> tuple[object, ...]:
    return arena.rows(_LAST_EVENT), arena.broker.ends(TOPICS)


def _unsettled(arena: Arena, journal: Journal) -> list[str]:
    rows = arena.rows(_UNSETTLED, f"{journal.run}-%")
    return [f"order {order} is in status {status} with stock {stock}" for order, status, stock in rows]


def _unpublished(arena: Arena) -> list[str]:
    [(count,)] = arena.rows(_UNPUBLISHED)
    return [f"{count} events are not published"] if count else []


def _lags(arena: Arena) -> list[str]:
    return [
        f"{group} has {count} messages before it in {topic}/{partition}"
        for group in GROUPS
        for (topic, partition), count in arena.broker.lag(group).items()
    ]
