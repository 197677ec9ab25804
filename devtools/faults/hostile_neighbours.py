"""Neighbours that write what they like to our topics and leave transactions open on the broker and cluster.

Their keys do not belong to the run, so the laws judge the others: nobody else is refused or held up for good.
"""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import psycopg
from confluent_kafka import KafkaException, Producer

from devtools.faults.broker import DEAD_LETTERS, NO_CLIENT_LOG, RETRIES
from devtools.faults.system import Misbehaved, System, sleep_between
from kafka_workers.workers import CONSUMERS

Headers = list[tuple[str, str | bytes | None]]

_OPEN_SECONDS = 3.0, 6.0
_SECONDS = 15.0
# What waits for its second or third retry would keep the run waiting too.
_FIRST_RETRIES = tuple(topic for topic in RETRIES if topic.endswith(".1"))
_UNKNOWN_PRODUCT = "f" * 24
_KEYS = (None, b"", b"\xff\xfe", b"\x1b[2J", b"neighbour", "\u202eorder".encode(), b"k" * 5000)
_VALUES = (None, b"", b"null", b"[]", b"\xff", b'{"orderId": "neighbour"}', b"[" * 20_000)
_ORDER_IDS = ("", "o" * 65, "\x00", "../../etc", "$where", "a.b", "Straße", "\u202e", "not-a-uuid", 7, None)
_FORGED = (
    {"attempts": "-10"},
    {"attempts": "9" * 30},
    {"topic": "order.completed"},
    {"topic": "orders-service-group.dlq"},
    {"topic": "orders-service-group.retry." + "9" * 5000},
    {"group": "another"},
    {"offset": "-1"},
    {"first_at": "\x1b[2J"},
    {"reason": b"\xff"},
)


def disturb(system: System, rng: random.Random) -> None:
    """All of it at once, for some seconds. Raises Misbehaved if the records cannot be listed afterwards."""
    with ExitStack() as open_transactions:
        for database in ("postgres", None):
            open_transactions.enter_context(_open_in_postgresql(system, database))
        open_transactions.enter_context(_open_in_kafka(system, rng.choice(CONSUMERS).reads))
        _write_records(system, rng)
        sleep_between(rng, *_OPEN_SECONDS)
    listed = system.manage("dead_letters", "list", "--json")
    if listed.returncode != 0:
        raise Misbehaved(f"dead_letters list ended with {listed.stderr}")
    if not any(letter["kind"] == "unreadable" for letter in json.loads(listed.stdout)):
        raise Misbehaved("dead_letters list shows none of the records that no group wrote")


@contextmanager
def _open_in_postgresql(system: System, database: str | None) -> Iterator[None]:
    """A transaction with an id in this database of the cluster, or in ours."""
    with psycopg.connect(system.stack.env["DATABASE_URL"], dbname=database) as connection:
        connection.execute("SELECT pg_current_xact_id()")
        yield
        connection.rollback()


@contextmanager
def _open_in_kafka(system: System, topics: Sequence[str]) -> Iterator[None]:
    """A transaction on every partition of these topics; in the end it is aborted."""
    producer = Producer(_client(system) | {"transactional.id": f"neighbour-{uuid.uuid4().hex}"})
    producer.init_transactions(_SECONDS)
    producer.begin_transaction()
    for topic in topics:
        for partition in producer.list_topics(topic, timeout=_SECONDS).topics[topic].partitions:
            producer.produce(topic, b"never sent", key=b"neighbour", partition=partition)
    assert producer.flush(_SECONDS) == 0
    try:
        yield
    finally:
        with suppress(KafkaException):
            producer.abort_transaction(_SECONDS)


def _write_records(system: System, rng: random.Random) -> None:
    with closing(Producer(_client(system))) as producer:
        for topic in [topic for consumer in CONSUMERS for topic in consumer.reads]:
            producer.produce(topic, rng.choice(_VALUES), key=rng.choice(_KEYS))
            producer.produce(topic, rng.choice(_VALUES), key=b"neighbour", headers=_forged(rng, topic))
            producer.produce(topic, _with_bad_order_id(rng), key=b"neighbour")
        for topic in (*_FIRST_RETRIES, *DEAD_LETTERS):
            producer.produce(topic, rng.choice(_VALUES), key=rng.choice(_KEYS))
            producer.produce(topic, b"{}", key=b"neighbour", headers=_forged(rng, topic))
        for topic in DEAD_LETTERS:
            producer.produce(f"{topic}.settled", rng.choice(_VALUES), key=rng.choice(_KEYS))
        assert producer.flush(_SECONDS) == 0


def _forged(rng: random.Random, topic: str) -> Headers:
    """The headers of a failure, one of them forged."""
    group = next((each.group for each in CONSUMERS if topic.startswith(f"{each.group}.")), "another")
    fields: dict[str, str | bytes] = {
        "group": group,
        "topic": "inventory.reserve",
        "partition": "0",
        "offset": "0",
        "attempts": "1",
        "kind": "handler",
        "exception": "E",
        "reason": "forged",
        "first_at": "2026-01-01T00:00:00Z",
        "last_at": "2026-01-01T00:00:00Z",
    }
    return [(f"failure_{name}", value) for name, value in {**fields, **rng.choice(_FORGED)}.items()]


def _with_bad_order_id(rng: random.Random) -> bytes:
    """A request or answer about an order that is not ours and a product that does not exist."""
    line = {"productId": _UNKNOWN_PRODUCT, "productName": "Lantern", "quantity": 1, "price": "1.00"}
    value: dict[str, Any] = {
        "orderId": rng.choice(_ORDER_IDS),
        "orderNumber": "N-1",
        "reason": "\x1b[2J",
        "items": [line | {"newStock": 1}],
        "failures": [
            {"productId": _UNKNOWN_PRODUCT, "code": "PRODUCT_NOT_FOUND", "requested": 1, "available": 0}
        ],
        "timestamp": "2026-01-01T12:00:00Z",
    }
    return json.dumps(value).encode()


def _client(system: System) -> dict[str, str | int]:
    return {"bootstrap.servers": system.broker.brokers, **NO_CLIENT_LOG}
