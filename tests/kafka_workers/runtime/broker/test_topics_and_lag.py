"""Topics as the settings describe them, and the lag of groups."""

import json
import uuid
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from django.core.management import CommandError, call_command
from pytest_django import Settings

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from kafka_workers.runtime.broker import topic_reader, topics
from kafka_workers.runtime.broker.client_config import client_config
from kafka_workers.runtime.broker.lag import PartitionLag, read_lag
from kafka_workers.runtime.broker.topics import (
    Topic,
    add_partitions,
    business_topic,
    create_topics,
    topics_of_group,
)
from kafka_workers.runtime.exceptions import BrokerUnavailable, TopicNotCreated
from tests.kafka_workers.runtime.workbench import Bench

pytestmark = pytest.mark.usefixtures("kafka")


def a_topic(**changes: object) -> Topic:
    fields: dict[str, object] = {
        "name": f"bench-{uuid.uuid4().hex[:12]}",
        "partitions": 2,
        "replication": 1,
        "retention": timedelta(days=7),
    }
    return Topic(**(fields | changes))  # type: ignore[arg-type]


def lag_of(bench: Bench) -> int:
    """The lag of the bench's group; a broker that has just started does not tell it for a moment."""
    lags: list[PartitionLag] = []

    def is_told() -> bool:
        with suppress(BrokerUnavailable):
            lags[:] = read_lag({bench.group: [bench.topic]})
            return True
        return False

    eventually(is_told, "the broker tells the lag")
    return sum(each.lag for each in lags)


def test_missing_topics_are_created_and_a_second_run_changes_nothing() -> None:
    two = [a_topic(), a_topic()]
    assert sorted(create_topics(two).created) == sorted(topic.name for topic in two)
    again = create_topics(two)
    assert (again.created, again.altered, again.differing) == ([], [], [])


def test_the_retention_of_an_existing_topic_is_corrected() -> None:
    topic = a_topic()
    create_topics([topic])
    longer = a_topic(name=topic.name, retention=timedelta(days=8))
    assert create_topics([longer]).altered == [f"{topic.name}: retention.ms was 604800000, is now 691200000"]
    eventually(lambda: create_topics([longer]).altered == [], "the retention is corrected")


def test_another_number_of_partitions_is_reported_and_left() -> None:
    topic = a_topic()
    create_topics([topic])
    more = a_topic(name=topic.name, partitions=3)
    assert create_topics([more]).differing == [f"{topic.name} has 2 partitions, not 3"]
    assert create_topics([topic]).differing == []


def test_partitions_are_added_on_request_and_never_taken_away() -> None:
    topic, absent = a_topic(), a_topic()
    create_topics([topic])
    more = a_topic(name=topic.name, partitions=3)
    assert add_partitions([more, absent]) == [f"{topic.name} had 2 partitions, now has 3"]
    eventually(lambda: create_topics([more]).differing == [], "the brokers know it")
    assert add_partitions([more, topic]) == []
    assert create_topics([topic]).differing == [f"{topic.name} has 3 partitions, not 2"]


def test_a_topic_that_the_broker_rejects_is_named() -> None:
    with pytest.raises(TopicNotCreated, match="cannot be created"):
        create_topics([a_topic(replication=7)])


def test_the_topics_follow_the_settings(settings: Settings) -> None:
    settings.KAFKA_PARTITIONS = 5
    settings.KAFKA_RETENTION_DAYS = 2
    settings.RETRY_DELAYS_SECONDS = (1, 2)
    assert business_topic("numbers").partitions == 5
    assert business_topic("numbers").retention == timedelta(days=2)
    assert [topic.name for topic in topics_of_group("g")] == [
        "g.retry.1",
        "g.retry.2",
        "g.dlq",
        "g.dlq.settled",
    ]


def test_the_command_creates_every_topic_of_the_system() -> None:
    call_command("create_topics", stdout=StringIO())
    out = StringIO()
    call_command("create_topics", stdout=out)
    assert "0 of them new" in out.getvalue()
    names = AdminClient(client_config("test")).list_topics(timeout=10).topics
    assert {"inventory.reserve", "order.created", "products-service-group.dlq"} <= names.keys()


def test_lag_counts_uncommitted_messages_also_before_the_first_commit(bench: Bench) -> None:
    bench.send(1, 2, 3)
    assert lag_of(bench) == 3
    bench.start()
    eventually(lambda: lag_of(bench) == 0, "no lag")


def test_lag_does_not_count_messages_that_retention_has_deleted(bench: Bench) -> None:
    bench.kafka_client.send(bench.topic, "key", b"1")
    bench.kafka_client.send(bench.topic, "key", b"2")
    [lag] = [each for each in read_lag({bench.group: [bench.topic]}) if each.end == 2]
    admin = AdminClient(client_config("test"))
    [deleted] = admin.delete_records([TopicPartition(bench.topic, lag.partition, 1)]).values()
    deleted.result(10)
    assert lag_of(bench) == 1


@pytest.mark.parametrize(
    ("start", "end", "committed", "lag"),
    [
        pytest.param(0, 3, 9, 3, id="the topic was made anew after the commit"),
        pytest.param(5, 9, 2, 4, id="retention has deleted what was not read"),
        pytest.param(5, 9, None, 4, id="nothing was ever committed"),
        pytest.param(9, 9, 9, 0, id="everything is read, and deleted"),
        pytest.param(9, 9, 2, 0, id="everything is deleted"),
    ],
)
def test_lag_is_what_a_member_would_read(start: int, end: int, committed: int | None, lag: int) -> None:
    found = PartitionLag(group="g", topic="t", partition=0, start=start, end=end, held=0, committed=committed)
    assert found.lag == lag


def test_the_command_shows_one_group_as_json(bench: Bench) -> None:
    bench.send(1)
    bench.start()
    bench.wait_until_committed()
    out = StringIO()
    call_command("consumer_lag", "--json", "--group", bench.group, stdout=out)
    rows = json.loads(out.getvalue())
    assert {row["group"] for row in rows} == {bench.group}
    # A partition without messages may have no committed offset yet.
    assert sum(row["committed"] or 0 for row in rows if row["topic"] == bench.topic) == 1
    assert sum(row["lag"] for row in rows) == 0


@pytest.mark.parametrize("command", [["consumer_lag"], ["create_topics"], ["dead_letters", "list"]])
def test_a_command_reports_an_outage_of_kafka(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    for module in (topics, topic_reader):
        monkeypatch.setattr(module, "REACH_SECONDS", 0.5)
    settings.KAFKA_BROKERS = f"127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(CommandError, match="Kafka is unavailable"):
        call_command(*command)
