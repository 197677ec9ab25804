"""Messages of an attacker become dead letters with their reason, and nothing else changes."""

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from devtools.driver.kafka import KafkaClient
from products_app.documents.ledger import ledger_collection
from tests.kafka_workers.consumers.test_inventory_consumer import (
    DEAD_LETTERS,
    new_order,
    reason_of,
    reserve,
    running_consumer,
)
from tests.products_app.product_stock import stock_of, stocked

TEN_MEGABYTES = 10_000_000
pytestmark = pytest.mark.usefixtures("clean_catalogue")


@pytest.fixture
def compressing_producer(kafka_client: KafkaClient) -> Iterator[Producer]:
    """An external service that compresses its messages, so that they pass the broker's limit."""
    producer = Producer(
        {
            "bootstrap.servers": kafka_client.brokers,
            "compression.type": "gzip",
            "message.max.bytes": 2 * TEN_MEGABYTES,
            "linger.ms": 0,
            # As `kafka_client`: the last message of the order comes after these in one partition.
            "partitioner": "murmur2_random",
        }
    )
    yield producer
    assert producer.flush(15) == 0


def padded(value: bytes) -> bytes:
    return value + b" " * TEN_MEGABYTES


def nested(order: str, product: str) -> bytes:
    deep = b"[" * 100_000 + b"]" * 100_000
    return reserve(order, product).replace(b'"orderNumber"', b'"more": ' + deep + b', "orderNumber"', 1)


def many_items(order: str, product: str, count: int) -> bytes:
    value = json.loads(reserve(order, product))
    start, end = json.dumps(value | {"items": "HERE"}).encode().split(b'"HERE"')
    return start + b"[" + b",".join([b"{}"] * count) + b"]" + end


def test_a_message_that_is_too_large_too_deep_or_too_long_is_a_dead_letter_with_its_reason(
    kafka_client: KafkaClient, compressing_producer: Producer
) -> None:
    product, bad, good = stocked(10), new_order(), new_order()
    valid = reserve(bad, product)
    with running_consumer():
        compressing_producer.produce("inventory.reserve", key=bad, value=padded(valid))
        compressing_producer.produce(
            "inventory.reserve", key=bad, value=valid, headers=[("x", b" " * TEN_MEGABYTES)]
        )
        compressing_producer.produce("inventory.reserve", key=bad, value=many_items(bad, product, 1_000_000))
        compressing_producer.produce("inventory.reserve", key=bad, value=nested(bad, product))
        compressing_producer.produce("inventory.reserve", key=bad, value=many_items(bad, product, 200_000))
        assert compressing_producer.flush(15) == 0
        kafka_client.send("inventory.reserve", bad, reserve(good, product))
        kafka_client.of_order(good, "inventory.reserved")
    dead = kafka_client.of_order(bad, DEAD_LETTERS, count=5)
    reasons = [reason_of(record) for record in dead]
    for reason, words in zip(reasons, [*["bytes, more than"] * 3, "nested too deep", "items"], strict=True):
        assert words in reason
        assert len(reason) < 300
    assert all(sum(map(len, record.headers.values())) < 2_000 for record in dead)
    assert [record.headers.get("failure_cut_from", "")[:2] for record in dead[:2]] == ["10", "10"]
    assert valid.startswith(dead[0].value[: len(valid)])
    assert stock_of(product) == 8
    assert [entry["_id"] for entry in ledger_collection().find({"_id": {"$in": [bad, good]}})] == [good]


def test_a_huge_key_is_truncated_too(kafka_client: KafkaClient, compressing_producer: Producer) -> None:
    product, good = stocked(10), new_order()
    key = new_order() + "k" * TEN_MEGABYTES
    with running_consumer():
        compressing_producer.produce(
            "inventory.reserve", key=key, value=reserve(key[:64], product), partition=0
        )
        assert compressing_producer.flush(15) == 0
        kafka_client.send("inventory.reserve", good, reserve(good, product))
        kafka_client.of_order(good, "inventory.reserved")
        (letter,) = kafka_client.of_order(key[:1_000], DEAD_LETTERS)
    assert "bytes, more than" in reason_of(letter)
    assert stock_of(product) == 8


def test_ten_megabytes_that_are_not_compressed_are_rejected_by_the_broker(kafka_client: KafkaClient) -> None:
    product, order = stocked(10), new_order()
    errors: list[str] = []
    sender = Producer({"bootstrap.servers": kafka_client.brokers, "message.max.bytes": 2 * TEN_MEGABYTES})
    sender.produce(
        "inventory.reserve",
        key=order,
        value=padded(reserve(order, product)),
        on_delivery=lambda error, _: errors.append(error.name() if error else "taken"),
    )
    assert sender.flush(15) == 0
    assert errors == ["MSG_SIZE_TOO_LARGE"]
    assert stock_of(product) == 10
