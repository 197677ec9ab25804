"""Publishing: the broker acknowledges the whole batch, or the caller learns which messages it did not."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError
from pytest_django import Settings

from devtools.stack.ports import free_ports
from foundation.work_report import REPORT
from kafka_workers.runtime.broker.client_config import (
    BrokerReachability,
    client_config,
    consumer_config,
    producer_config,
)
from kafka_workers.runtime.exceptions import BrokerUnavailable, PublishFailed
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing import producer as producing
from kafka_workers.runtime.producing.producer import Producer
from tests.kafka_workers.runtime.workbench import Bench


@pytest.fixture
def producer() -> Iterator[Producer]:
    with Producer("test") as producer:
        yield producer


def message(bench: Bench, key: str, size: int = 1) -> OutgoingMessage:
    return OutgoingMessage(bench.topic, key, b"x" * size, {"name": "value"})


def test_everything_published_is_on_the_broker_when_publish_returns(bench: Bench, producer: Producer) -> None:
    producer.publish(message(bench, str(number)) for number in range(1000))
    records = bench.kafka_client.read([bench.topic], lambda records: len(records) >= 1000)
    assert sorted(int(record.key) for record in records) == list(range(1000))
    assert records[0].headers == {"name": "value"}


def test_the_messages_of_a_key_keep_their_order(bench: Bench, producer: Producer) -> None:
    producer.publish(OutgoingMessage(bench.topic, "one", str(number).encode(), {}) for number in range(500))
    records = bench.kafka_client.read([bench.topic], lambda records: len(records) >= 500)
    assert [int(record.value) for record in records] == list(range(500))


def seconds_of_first_message(bench: Bench) -> float:
    with Producer("test") as producer:
        producer.connect()
        started = time.monotonic()
        producer.publish([message(bench, "first")])
        return time.monotonic() - started


def test_the_first_message_of_a_connected_producer_does_not_wait_for_a_producer_id(bench: Bench) -> None:
    # A client that asks for its id when it has a message waits at least half a second for it.
    assert min(seconds_of_first_message(bench) for _ in range(3)) < 0.4


def test_connecting_tells_that_no_broker_is_there(settings: Settings) -> None:
    settings.KAFKA_BROKERS = f"127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(BrokerUnavailable):
        Producer("test").connect()


def test_publishing_nothing_needs_no_broker(settings: Settings) -> None:
    settings.KAFKA_BROKERS = f"127.0.0.1:{free_ports(1)[0]}"
    Producer("test").publish([])


@pytest.mark.parametrize("size", [1_060_000, 3_000_000])
def test_a_message_that_is_too_large_is_named_and_the_others_are_delivered(
    bench: Bench, producer: Producer, size: int
) -> None:
    batch = [message(bench, "1"), message(bench, "2", size), message(bench, "3")]
    with pytest.raises(PublishFailed) as failure:
        producer.publish(batch)
    [rejected] = failure.value.rejected
    assert (rejected.index, rejected.topic, rejected.key) == (1, bench.topic, "2")
    assert "too large" in rejected.reason
    producer.publish([message(bench, "4")])
    records = bench.kafka_client.read(
        [bench.topic], lambda records: len({record.key for record in records}) >= 3
    )
    assert {record.key for record in records} == {"1", "3", "4"}


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker has half a second to acknowledge, instead of five."""

    def config(name: str, reachability: BrokerReachability | None = None) -> dict[str, object]:
        return producer_config(name, reachability) | {"delivery.timeout.ms": 500}

    monkeypatch.setattr(producing, "producer_config", config)


@pytest.mark.usefixtures("short_timeouts")
def test_a_broker_that_cannot_be_reached_is_unavailable(settings: Settings) -> None:
    settings.KAFKA_BROKERS = f"127.0.0.1:{free_ports(1)[0]}"
    with Producer("test") as producer, pytest.raises(BrokerUnavailable):
        producer.publish([OutgoingMessage("numbers", "1", b"1", {})])


@pytest.mark.usefixtures("short_timeouts")
def test_a_missing_topic_counts_as_an_unavailable_broker(producer: Producer) -> None:
    with pytest.raises(BrokerUnavailable):
        producer.publish([OutgoingMessage("no-such-topic", "1", b"1", {})])


def test_a_worker_waits_for_kafka_only_by_errors_whose_end_is_reported() -> None:
    REPORT.waits_for.clear()
    error = KafkaError(KafkaError._ALL_BROKERS_DOWN)
    client_config("a")["error_cb"](error)
    assert "Kafka" not in REPORT.waits_for
    reachability = BrokerReachability()
    producer_config("b", reachability)["error_cb"](error)
    assert "Kafka" in REPORT.waits_for
    reachability.report_answer()
    assert "Kafka" not in REPORT.waits_for


def test_every_client_has_the_security_of_the_settings(settings: Settings) -> None:
    settings.KAFKA_SECURITY_PROTOCOL = "SASL_SSL"
    settings.KAFKA_SASL_MECHANISM = "SCRAM-SHA-512"
    settings.KAFKA_SASL_USERNAME = "worker"
    settings.KAFKA_SASL_PASSWORD = "secret"
    settings.KAFKA_SSL_CA = "/ca.pem"
    wanted = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "worker",
        "sasl.password": "secret",
        "ssl.ca.location": "/ca.pem",
    }
    for config in (client_config("a"), producer_config("b"), consumer_config("c", BrokerReachability())):
        assert wanted.items() <= config.items()
