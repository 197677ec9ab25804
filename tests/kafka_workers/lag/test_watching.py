"""Lag as people measure it, on a real broker: what waits, for how long, and whether anybody reads it."""

import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from types import SimpleNamespace

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY
from pytest_django import Settings

from devtools.driver.shop import eventually
from devtools.stack.spawn import PROJECT
from kafka_workers.lag import watching
from kafka_workers.lag.exporter import LagMetrics
from kafka_workers.lag.judging import Status
from kafka_workers.lag.watching import LagWatch, WatchedPartition, running_groups
from kafka_workers.runtime.broker.client_config import client_config, reader_config
from kafka_workers.runtime.broker.lag import LagReader
from kafka_workers.runtime.broker.topic_counts import TopicCounter
from kafka_workers.runtime.consuming import first_unread
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.group_topics import retry_topic
from kafka_workers.runtime.messages.message import OutgoingMessage
from tests.kafka_workers.runtime.workbench import Bench

pytestmark = pytest.mark.usefixtures("kafka")

HOUR = 3600


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.2)


@pytest.fixture
def watch(bench: Bench) -> Iterator[LagWatch]:
    with LagWatch(window_seconds=60, groups=[bench.group]) as watch:
        yield watch


def write(topic: str, *, key: bytes = b"key", age: float = 0.0, partition: int = 0) -> None:
    """Writes a message whose record is of `age` seconds ago."""
    producer = Producer(client_config("test"))
    producer.produce(topic, b"1", key, partition=partition, timestamp=int((time.time() - age) * 1000))
    assert producer.flush(10) == 0


def transactional_producer() -> Producer:
    producer = Producer(client_config("test") | {"transactional.id": uuid.uuid4().hex})
    producer.init_transactions(10)
    return producer


@contextmanager
def quick_compaction(topic: str) -> Iterator[None]:
    """The broker compacts the topic at once, each record in a segment of its own; it looks often for work."""
    own = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1"}
    configure(ResourceType.TOPIC, topic, own)
    configure(ResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "100"})
    try:
        yield
    finally:
        configure(ResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "15000"})


def configure(kind: ResourceType, name: str, values: dict[str, str]) -> None:
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in values.items()
    ]
    resource = ConfigResource(kind, name, incremental_configs=entries)
    admin = AdminClient(client_config("test"))
    [altered] = admin.incremental_alter_configs([resource]).values()
    altered.result(10)


def commit(bench: Bench, offset: int, topic: str = "", group: str = "") -> None:
    """Commits an offset of partition 0 as a member would; a new broker refuses it for a moment."""
    place = TopicPartition(topic or bench.topic, 0, offset)

    def is_committed() -> bool:
        with suppress(KafkaException):
            consumer.commit(offsets=[place], asynchronous=False)
            return True
        return False

    with Consumer(reader_config(group or bench.group)) as consumer:
        eventually(is_committed, "the offset is committed")


def delete_first(topic: str, before: int = 1) -> None:
    """Deletes the records of partition 0 before this offset, as retention does."""
    admin = AdminClient(client_config("test"))
    [deleted] = admin.delete_records([TopicPartition(topic, 0, before)]).values()
    deleted.result(10)


def members_with_partitions(bench: Bench) -> int:
    admin = AdminClient(client_config("test"))
    [group] = admin.describe_consumer_groups([bench.group]).values()
    return sum(bool(member.assignment.topic_partitions) for member in group.result(10).members)


def first(watched: list[WatchedPartition], topic: str, partition: int = 0) -> WatchedPartition:
    return next(each for each in watched if (each.lag.topic, each.lag.partition) == (topic, partition))


def looked(
    watch: LagWatch, topic: str, is_found: Callable[[WatchedPartition], bool], partition: int = 0
) -> WatchedPartition:
    """The partition as soon as it is like that; looks on until then."""
    found: list[WatchedPartition] = []

    def look() -> bool:
        found[:] = [first(watch.look(), topic, partition)]
        return is_found(found[0])

    eventually(look, "the partition is as expected", seconds=30)
    return found[0]


def test_nothing_waits_in_an_empty_topic(bench: Bench, watch: LagWatch) -> None:
    commit(bench, 0)
    assert {each.status for each in watch.look()} == {Status.OK}


def test_lag_in_seconds_is_the_age_of_the_first_unread_record(bench: Bench, watch: LagWatch) -> None:
    for age in (3 * HOUR, 2 * HOUR, HOUR):
        write(bench.topic, age=age)
    commit(bench, 1)
    watched = first(watch.look(), bench.topic)
    assert watched.unread == 2
    assert watched.waiting_seconds == pytest.approx(2 * HOUR, abs=60)


def test_two_groups_at_different_places_of_one_partition_have_each_their_own_lag(bench: Bench) -> None:
    for age in (3 * HOUR, 2 * HOUR, HOUR):
        write(bench.topic, age=age)
    other = f"{bench.group}-other"
    commit(bench, 1)
    commit(bench, 2, group=other)
    with LagWatch(window_seconds=60, groups=[bench.group, other]) as watch:
        found = {each.lag.group: each for each in watch.look() if each.unread}
    assert found[bench.group].waiting_seconds == pytest.approx(2 * HOUR, abs=60)
    assert found[other].waiting_seconds == pytest.approx(HOUR, abs=60)


def test_records_that_retention_has_deleted_do_not_wait(bench: Bench, watch: LagWatch) -> None:
    for age in (3 * HOUR, 2 * HOUR):
        write(bench.topic, age=age)
    commit(bench, 0)
    delete_first(bench.topic)
    watched = looked(watch, bench.topic, lambda each: each.unread == 1)
    assert watched.waiting_seconds == pytest.approx(2 * HOUR, abs=60)


def test_records_that_retention_has_deleted_unread_are_lost_until_the_group_has_read_a_later_one(
    bench: Bench, watch: LagWatch
) -> None:
    for _ in range(2):
        write(bench.topic, age=HOUR)
    commit(bench, 0)
    assert first(watch.look(), bench.topic).lost == 0
    delete_first(bench.topic)
    watched = looked(watch, bench.topic, lambda each: each.unread == 1)
    assert watched.lost == 1
    LagMetrics().show([watched], unknown=set())
    labels = {"group": bench.group, "topic": bench.topic, "partition": "0"}
    assert REGISTRY.get_sample_value("stockbridge_consumer_lost_messages", labels) == 1
    commit(bench, 2)
    assert looked(watch, bench.topic, lambda each: not each.unread).lost == 0


def test_a_mark_of_a_transaction_that_retention_has_deleted_is_no_message_that_is_lost(
    bench: Bench, watch: LagWatch
) -> None:
    producer = transactional_producer()
    producer.begin_transaction()
    producer.produce(bench.topic, b"1", b"key", partition=0)
    producer.commit_transaction(10)
    commit(bench, 1)
    assert first(watch.look(), bench.topic).lag.lag == 1
    delete_first(bench.topic, before=2)
    assert looked(watch, bench.topic, lambda each: each.lag.start == 2).lost == 0
    with LagWatch(window_seconds=60, groups=[bench.group]) as new:
        assert first(new.look(), bench.topic).lost == 0


def test_the_command_says_what_is_lost(bench: Bench) -> None:
    for _ in range(3):
        write(bench.topic)
    commit(bench, 0)
    delete_first(bench.topic, before=3)
    with pytest.raises(CommandError, match=f"before {bench.group} has read them: 3 of {bench.topic}/0"):
        call_command("consumer_lag", "--json", "--group", bench.group, stdout=StringIO())


def test_what_compaction_has_deleted_does_not_wait(
    bench: Bench, watch: LagWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_unread, "AGAIN_SECONDS", 0.0)
    with quick_compaction(bench.topic):
        # The last record of a partition is never compacted, nor is any younger than the segment before it.
        for key, age in ((b"a", 3 * HOUR), (b"a", 2 * HOUR), (b"b", HOUR)):
            write(bench.topic, key=key, age=age)
        watched = looked(watch, bench.topic, lambda each: each.waiting_seconds < 2.5 * HOUR)
    assert watched.waiting_seconds == pytest.approx(2 * HOUR, abs=60)
    assert watched.unread == 2


def test_a_message_of_an_open_transaction_waits_and_one_of_an_aborted_transaction_does_not(
    bench: Bench, watch: LagWatch
) -> None:
    producer = transactional_producer()
    producer.begin_transaction()
    producer.produce(bench.topic, b"1", b"key", partition=0, timestamp=int((time.time() - HOUR) * 1000))
    assert producer.flush(10) == 0
    write(bench.topic, age=HOUR / 2)
    watched = first(watch.look(), bench.topic)
    assert (watched.unread, watched.lag.held) == (2, 2)
    assert watched.waiting_seconds == pytest.approx(HOUR, abs=60)
    producer.abort_transaction(10)
    watched = looked(watch, bench.topic, lambda each: not each.lag.held)
    assert watched.waiting_seconds == pytest.approx(HOUR / 2, abs=60)
    commit(bench, 2)
    assert looked(watch, bench.topic, lambda each: not each.unread).waiting_seconds == 0.0


def test_the_mark_at_the_end_of_a_transaction_is_no_message_that_waits(bench: Bench, watch: LagWatch) -> None:
    producer = transactional_producer()
    producer.begin_transaction()
    producer.produce(bench.topic, b"1", b"key", partition=0)
    producer.commit_transaction(10)
    commit(bench, 1)
    watched = first(watch.look(), bench.topic)
    assert watched.lag.lag == 1
    assert (watched.unread, watched.waiting_seconds, watched.status) == (0, 0.0, Status.OK)


def test_a_message_that_a_retry_topic_keeps_until_its_time_does_not_wait(
    bench: Bench, watch: LagWatch, settings: Settings
) -> None:
    settings.RETRY_DELAYS_SECONDS = (HOUR,)
    topic = retry_topic(bench.group, 1)
    write(topic)
    commit(bench, 0, topic)
    watched = first(watch.look(), topic)
    assert (watched.unread, watched.waiting_seconds) == (1, 0.0)


def test_a_group_whose_worker_ends_is_stopped_and_one_that_reads_again_is_not(
    bench: Bench, watch: LagWatch
) -> None:
    write(bench.topic, age=HOUR)
    commit(bench, 0)
    assert looked(watch, bench.topic, lambda each: each.status is not Status.OK).status is Status.STOPPED
    bench.start()
    assert looked(watch, bench.topic, lambda each: not each.unread).status is Status.OK


def test_a_partition_that_does_not_move_is_stalled_beside_one_that_does(
    bench: Bench, watch: LagWatch
) -> None:
    go_on = threading.Event()

    def wait_with_the_first_partition(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        if any(each.received.partition == 0 for each in batch):
            go_on.wait(60)
        return bench.handle(batch)

    # The first member gets partitions 0 and 1, the second one gets 2.
    for _ in range(2):
        bench.start(wait_with_the_first_partition)
    eventually(lambda: members_with_partitions(bench) == 2, "both members have partitions")
    write(bench.topic, age=HOUR)
    try:
        assert looked(watch, bench.topic, lambda each: each.status is Status.STALLED).unread == 1
        for _ in range(2):
            write(bench.topic, age=HOUR, partition=2)
        moving = looked(watch, bench.topic, lambda each: each.lag.committed == 2, partition=2)
        assert (moving.unread, moving.status) == (0, Status.OK)
        assert first(watch.look(), bench.topic).status is Status.STALLED
    finally:
        go_on.set()
    looked(watch, bench.topic, lambda each: each.status is Status.OK)


def test_a_group_that_is_set_back_is_rewound(bench: Bench, watch: LagWatch) -> None:
    for _ in range(3):
        write(bench.topic, age=HOUR)
    commit(bench, 3)
    assert first(watch.look(), bench.topic).status is Status.OK
    commit(bench, 1)
    assert first(watch.look(), bench.topic).status is Status.REWOUND


def test_the_command_ends_with_1_and_a_sentence_where_a_group_is_stopped(bench: Bench) -> None:
    write(bench.topic, age=HOUR)
    commit(bench, 0)
    out = StringIO()
    with pytest.raises(
        CommandError, match=f"no member of {bench.group} reads {bench.topic}/0: 1 message waits"
    ):
        call_command("consumer_lag", "--json", "--group", bench.group, stdout=out)
    [row] = [each for each in json.loads(out.getvalue()) if each["lag"]]
    assert (row["status"], row["seconds"]) == ("STOPPED", pytest.approx(HOUR, abs=60))


def test_watching_ends_by_ctrl_c_with_the_exit_code_of_the_last_state(bench: Bench) -> None:
    write(bench.topic, age=HOUR)
    commit(bench, 0)
    command = [sys.executable, "manage.py", "consumer_lag", "--watch", "--group", bench.group]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT
    ) as watching:
        assert watching.stdout is not None
        assert "STOPPED" in next(line for line in watching.stdout if line.startswith(bench.group))
        watching.send_signal(signal.SIGINT)
        try:
            shown, errors = watching.communicate(timeout=30)
        finally:
            watching.kill()
    assert watching.returncode == 1, shown + errors
    assert f"no member of {bench.group} reads {bench.topic}/0: 1 message waits, for 1 h 0 min" in errors
    assert "Traceback" not in errors


def test_the_metrics_of_a_partition_that_is_gone_become_0(bench: Bench, watch: LagWatch) -> None:
    write(bench.topic, age=HOUR)
    commit(bench, 0)
    metrics = LagMetrics()
    labels = {"group": bench.group, "topic": bench.topic, "partition": "0"}

    def shown(name: str, **more: str) -> float | None:
        return REGISTRY.get_sample_value(f"stockbridge_consumer_{name}", labels | more)

    watch.look()
    metrics.show(watch.look(), unknown=set())
    assert shown("lag_messages") == 1
    assert shown("lag_seconds") == pytest.approx(HOUR, abs=60)
    assert shown("group_status", status="STOPPED") == 1
    metrics.show([], unknown={(bench.topic, 0)})
    assert shown("lag_messages") == 1, "what has no leader is as it was"
    metrics.show([], unknown=set())
    assert (shown("lag_messages"), shown("lag_seconds"), shown("group_status", status="STOPPED")) == (0, 0, 0)


def test_the_groups_of_workers_that_do_not_run_here_are_left_out(settings: Settings) -> None:
    settings.EMAIL_URL = ""
    assert "email-service-group" not in running_groups()
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    assert "email-service-group" in running_groups()


def test_a_group_without_a_name_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = SimpleNamespace(valid=[SimpleNamespace(group_id=""), SimpleNamespace(group_id="named")])
    reader = LagReader()
    groups = SimpleNamespace(result=lambda: listing)
    admin = SimpleNamespace(
        list_topics=lambda *_, **__: SimpleNamespace(topics={}), list_consumer_groups=lambda **_: groups
    )
    monkeypatch.setattr(reader, "_admin", admin)
    assert reader.group_names() == ["named"]
    with pytest.raises(CommandError, match="a group has a name"):
        call_command("consumer_lag", "--group", "")


def test_a_group_that_is_gone_keeps_no_client(bench: Bench) -> None:
    with LagReader() as reader:
        reader.read({bench.group: [], f"{bench.group}-other": []})
        reader.read({bench.group: []})
        assert reader._clients.keys() == {bench.group}


def test_topics_are_counted_by_what_was_written_and_what_is_kept(bench: Bench) -> None:
    for partition in (0, 0, 1):
        write(bench.topic, partition=partition)
    delete_first(bench.topic)

    def counts() -> tuple[int, int, int]:
        [found] = [each for each in TopicCounter().count() if each.topic == bench.topic]
        return found.written, found.kept, found.under_replicated

    eventually(lambda: counts() == (3, 2, 0), "the deleted record is gone")
