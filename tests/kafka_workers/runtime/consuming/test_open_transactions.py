"""A transaction that a neighbour leaves open holds messages back for a bounded time, and this is told."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from confluent_kafka import KafkaException, Producer
from structlog.types import EventDict

from devtools.driver.shop import eventually
from kafka_workers.runtime.broker import topics
from kafka_workers.runtime.broker.lag import read_lag
from kafka_workers.runtime.broker.topics import create_topics
from kafka_workers.runtime.consuming.held_messages import HeldMessages
from tests.kafka_workers.runtime.workbench import Bench


def neighbour(bench: Bench, **settings: int) -> Producer:
    names = {name.replace("_", "."): value for name, value in settings.items()}
    servers = {"bootstrap.servers": bench.kafka_client.brokers, "transactional.id": uuid.uuid4().hex}
    return Producer(servers | names)


@contextmanager
def open_transaction(bench: Bench, partitions: int = 3) -> Iterator[None]:
    """A neighbour's transaction on every partition of the bench's topic; it is aborted at the end."""
    producer = neighbour(bench)
    producer.init_transactions(15)
    producer.begin_transaction()
    for partition in range(partitions):
        producer.produce(bench.topic, b"99", partition=partition)
    assert producer.flush(15) == 0
    try:
        yield
    finally:
        with suppress(KafkaException):
            producer.abort_transaction(15)


def test_messages_behind_an_open_transaction_are_told_of_and_handled_when_it_has_ended(
    bench: Bench, captured_log: list[EventDict]
) -> None:
    def lines(event: str) -> set[tuple[str, int]]:
        return {(each["topic"], each["partition"]) for each in captured_log if each["event"] == event}

    everywhere = {(bench.topic, partition) for partition in range(3)}
    bench.start()
    with open_transaction(bench):
        bench.send(1)
        eventually(lambda: lines("messages wait for an open transaction") == everywhere, "the log says so")
        lags = read_lag(bench.groups)
        assert sum(each.held for each in lags) == 4
        assert sum(each.lag for each in lags) == 4
        assert bench.numbers == []
    bench.wait_until_handled(1)
    eventually(lambda: lines("messages wait for no transaction any more") == everywhere, "the end is told")
    assert bench.numbers == [1], "nothing of an aborted transaction is handled"


def test_the_embedded_broker_ends_a_transaction_after_a_minute_at_most(bench: Bench) -> None:
    with pytest.raises(KafkaException, match="INVALID_TRANSACTION_TIMEOUT"):
        neighbour(bench, transaction_timeout_ms=60_001).init_transactions(15)
    neighbour(bench, transaction_timeout_ms=60_000).init_transactions(15)


def test_a_broker_that_lets_transactions_stay_open_for_longer_is_reported(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert create_topics([]).differing == []
    monkeypatch.setattr(topics, "LONGEST_TRANSACTION", topics.LONGEST_TRANSACTION / 2)
    [sentence] = create_topics([]).differing
    assert "transaction.max.timeout.ms is 60000, not 30000 or less" in sentence


def report(held: int, start: int = 5, state: str = "active") -> str:
    return (
        f'{{"topics": {{"t": {{"partitions": {{"0": {{"fetch_state": "{state}", "ls_offset": {start},'
        f' "hi_offset": {start + held}, "more": 1}}}}}}}}, "ts": 1}}'
    )


def test_only_messages_that_wait_for_longer_than_a_report_are_told_of() -> None:
    told: list[int] = []
    held = HeldMessages("g", lambda sentences: told.append(len(sentences)))
    for each in (report(2), report(3, 7), report(0, 10), report(4, 10, "stopped"), report(2, -1001)):
        held.report(each)
    assert told == []
    for each in (report(2, 10), report(5, 10), report(5, 10), report(0, 15), report(0, 15)):
        held.report(each)
    assert told == [1, 0]
