"""Messages about orders that wait in the topics, until they are in the figures of analytics."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from devtools.benchmarks.figures import Options, Row, figure, require_equal
from devtools.benchmarks.raw_kafka import Prepared, RawKafka
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from kafka_workers.workers import ANALYTICS

_STAGES = ((1, 2, "Processing"), (2, 3, "Shipped"), (3, 4, "Delivered"))
_MESSAGES = 1 + len(_STAGES)
"""Of an order: it is placed, and goes through these changes of status."""
_PLACED_AT = "2026-01-02T03:04:05.678901Z"
_COUNT = "SELECT count(*) FROM analytics_order WHERE status = 4 AND placed_at IS NOT NULL"
_RAW = """
CREATE TABLE IF NOT EXISTS raw_order (LIKE analytics_order_a INCLUDING ALL);
CREATE TABLE IF NOT EXISTS raw_line (LIKE analytics_line_a INCLUDING ALL);
TRUNCATE raw_order, raw_line;
"""
_RAW_ORDER = """
INSERT INTO raw_order (order_id, placed_at, currency, total, pieces, status, status_version)
VALUES (%s, %s, 'USD', 20.00, 2, 4, 4)
"""
_RAW_LINE = """
INSERT INTO raw_line (order_id, product_id, product_name, quantity, price, placed_at)
VALUES (%s, %s, 'Lantern', 1, 10.00, %s)
"""
_RAW_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class AnalyticsResult:
    """One run."""

    projected: float = figure(
        "messages; raw: their orders and lines written once by psycopg", "/s", raw="raw"
    )
    seconds: float = figure("until all are in the figures", "s")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, AnalyticsResult]]:
    """The analytics consumer alone: paused while the topics are filled, then resumed."""
    with open_system(processes=False) as system:
        name = system.add_worker(ANALYTICS)
        topic = ANALYTICS.reads[0]
        wait_until(lambda: system.topics.readers(ANALYTICS.group, topic) == 1, "it has partitions", 60)
        _run(system, name, 250)
        orders = options.size(25_000, 500)
        for _ in range(options.runs):
            yield f"{_MESSAGES * orders:,} messages about {orders:,} orders", _run(system, name, orders)


def _run(system: System, name: str, orders: int) -> AnalyticsResult:
    ids = [str(uuid.uuid4()) for _ in range(orders)]
    raw = _raw_seconds(system, ids)
    [(before,)] = system.rows(_COUNT)
    seconds = _project(system, name, ids)
    [(after,)] = system.rows(_COUNT)
    require_equal("delivered orders in the figures", after - before, orders)
    messages = _MESSAGES * orders
    return AnalyticsResult(projected=messages / seconds, seconds=seconds, raw=messages / raw)


def _project(system: System, name: str, ids: Sequence[str]) -> float:
    """Seconds from the moment at which the consumer goes on until all offsets are committed."""
    kafka = RawKafka(system.brokers)
    placed, changed = "order.created", "order.status.changed"
    with ExitStack() as stack:
        committed = {
            topic: stack.enter_context(closing(system.topics.committed_by(ANALYTICS.group, topic)))
            for topic in (placed, changed)
        }
        system.stack.pause(name)
        kafka.send(placed, [_message(order_id, 1, placed, _created(order_id)) for order_id in ids])
        for version, stage in enumerate(_STAGES, 2):
            values = [(order_id, _changed(order_id, *stage)) for order_id in ids]
            kafka.send(changed, [_message(key, version, changed, value) for key, value in values])
        ends = {topic: system.topics.end(topic) for topic in committed}
        started = time.monotonic()
        system.stack.resume(name)
        ended = wait_until(
            lambda: all(count() >= ends[topic] for topic, count in committed.items()),
            "all offsets are committed",
            120,
            pause=0.02,
        )
    return ended - started


def _created(order_id: str) -> dict[str, object]:
    line = {"productName": "Lantern", "quantity": 1, "price": "10.00", "category": "bench"}
    return {
        "orderId": order_id,
        "userId": "7",
        "orderNumber": "SB-BENC-HBEN",
        "totalAmount": "20.00",
        "currency": "USD",
        "items": [{"productId": f"{number:024x}", **line} for number in range(2)],
        "paymentMethod": 6,
        "createdAt": _PLACED_AT,
    }


def _changed(order_id: str, old: int, new: int, label: str) -> dict[str, object]:
    return {
        "orderId": order_id,
        "userId": "7",
        "orderNumber": "SB-BENC-HBEN",
        "oldStatus": old,
        "newStatus": new,
        "oldStatusLabel": "",
        "newStatusLabel": label,
        "timestamp": _PLACED_AT,
        "stockStatus": "reserved",
        "paymentStatus": 1,
    }


def _message(order_id: str, version: int, topic: str, value: dict[str, object]) -> Prepared:
    """As the relay sends it."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{order_id}:{version}:{topic}",
        "ce_type": topic,
        "ce_source": "/stockbridge/orders",
        "ce_time": _PLACED_AT,
        "ce_subject": order_id,
        "ce_sequence": str(version),
        "content-type": "application/json",
    }
    encoded = json.dumps(value, separators=(",", ":")).encode()
    return order_id, encoded, [(name, text.encode()) for name, text in headers.items()]


def _raw_seconds(system: System, ids: Sequence[str]) -> float:
    """Seconds in which psycopg writes the rows of these orders, each once, in batches of one transaction."""
    system.postgres.execute(_RAW)
    started = time.monotonic()
    for first in range(0, len(ids), _RAW_BATCH):
        batch = ids[first : first + _RAW_BATCH]
        with system.postgres.transaction(), system.postgres.cursor() as cursor:
            cursor.executemany(_RAW_ORDER, [(each, _PLACED_AT) for each in batch])
            lines = [(each, f"{number:024x}", _PLACED_AT) for each in batch for number in range(2)]
            cursor.executemany(_RAW_LINE, lines)
    return time.monotonic() - started


ROW = Row("analytics", "a backlog of messages about orders, until it is in the figures", measure)
