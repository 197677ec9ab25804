"""Waiting until the system has finished all work of a run: orders, events and messages."""

import time

from confluent_kafka import KafkaException

from devtools.faults.broker import TOPICS
from devtools.faults.observations import Observations
from devtools.faults.stock_keeper import LAST_BOUND
from devtools.faults.system import System
from kafka_workers.workers import GROUPS

_UNFINISHED_ORDERS = """
SELECT id::text, status, stock_status FROM orders_order
WHERE idempotency_key LIKE %s AND NOT (
    (stock_status = 'reserved' AND (status NOT IN (1, 5) OR (status = 1 AND payment_method <> 6)))
    OR (stock_status IN ('rejected', 'released') AND status = 5)
) ORDER BY id
"""
_UNPAID = "SELECT count(*) FROM payment_token"
_NOT_GIVEN_BACK = "SELECT count(*) FROM order_refund WHERE state = 'requested'"
_UNPUBLISHED = """
SELECT count(*) FROM order_event WHERE (tx, id) > (
    SELECT coalesce(max(tx), '0'), coalesce(max(event_id), 0)
    FROM reader_position WHERE reader = 'outbox-relay'
)
"""
_LAST_EVENT = "SELECT coalesce(max(id), 0) FROM order_event"


def wait_until_finished(system: System, observations: Observations) -> list[str]:
    """The work that is unfinished after `finish_seconds`; returns an empty list as soon as there is none."""
    end = time.monotonic() + system.finish_seconds
    while unfinished := _unfinished_work(system, observations):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return unfinished


def _unfinished_work(system: System, observations: Observations) -> list[str]:
    """The unfinished work; log and topics must not have grown while one part was read after another."""
    try:
        before = _fingerprint(system)
        found = [
            *_unfinished_orders(system, observations),
            *_unfinished_payments(system),
            *_unpublished(system),
            *_untold_falls(system, observations),
            *_lags(system),
        ]
        return found or ([] if _fingerprint(system) == before else ["events or messages are still added"])
    except KafkaException as error:
        return [f"Kafka did not return the committed offsets of the groups: {error}"]


def _fingerprint(system: System) -> tuple[object, ...]:
    return system.rows(_LAST_EVENT), system.broker.ends(TOPICS)


def _unfinished_orders(system: System, observations: Observations) -> list[str]:
    rows = system.rows(_UNFINISHED_ORDERS, f"{observations.run}-%")
    return [f"order {order} is in status {status} with stock {stock}" for order, status, stock in rows]


def _unfinished_payments(system: System) -> list[str]:
    [(tokens,)], [(refunds,)] = system.rows(_UNPAID), system.rows(_NOT_GIVEN_BACK)
    found = {f"{tokens} payments have not ended": tokens, f"{refunds} refunds have not ended": refunds}
    return [sentence for sentence, count in found.items() if count]


def _unpublished(system: System) -> list[str]:
    [(count,)] = system.rows(_UNPUBLISHED)
    return [f"{count} events are not published"] if count else []


def _untold_falls(system: System, observations: Observations) -> list[str]:
    """Of the stock watch: the products whose last fall it does not know of, and what it has not sent."""
    watched = {str(each["_id"]): each for each in system.documents("watched_products", {})}
    behind = [
        f"the stock watch does not know of the last fall of {product}"
        for product in observations.falls
        if watched.get(product, {}).get("lowStockAt") != LAST_BOUND
    ]
    unsent = [fall for watch in system.documents("stock_watch", {}) for fall in watch.get("unsent", ())]
    return behind + [f"{len(unsent)} falls are not sent"] * bool(unsent)


def _lags(system: System) -> list[str]:
    return [
        f"{group} has {count} unread messages in {topic}/{partition}"
        for group in GROUPS
        for (topic, partition), count in system.broker.lag(group).items()
    ]
