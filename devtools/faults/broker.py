"""Kafka as a plain client sees it: ends of topics, committed offsets of groups, and the messages."""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from devtools.driver.kafka import Record, as_record
from kafka_workers.workers import GROUPS, WORKERS

TOPICS = tuple(dict.fromkeys(topic for worker in WORKERS for topic in worker.sends))
DEAD_LETTERS = tuple(f"{group}.dlq" for group in GROUPS)
RETRIES = tuple(f"{group}.retry.{number}" for group in GROUPS for number in (1, 2, 3))

# Clients would log every lost connection to a broker that a fault has stopped.
NO_CLIENT_LOG = {"log_level": 0}

_SECONDS = 10.0
Partition = tuple[str, int]
Offsets = Mapping[Partition, int]


class Broker:
    """An admin client of one cluster."""

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers
        self.admin = AdminClient({"bootstrap.servers": brokers, **NO_CLIENT_LOG})

    def ends(self, topics: Iterable[str]) -> Offsets:
        """The end offset of each partition of the topics; topics that do not exist are left out."""
        partitions = self._partitions(topics)
        if not partitions:
            return {}
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's own gap
        futures = self.admin.list_offsets(dict.fromkeys(partitions, latest), request_timeout=_SECONDS)
        return {(each.topic, each.partition): future.result().offset for each, future in futures.items()}

    def committed(self, group: str) -> Offsets:
        """The group's committed offset by partition; partitions without a commit are left out."""
        # The admin client's own request for offsets hangs or crashes after a broker has died.
        reader = Consumer({"bootstrap.servers": self.brokers, "group.id": group, **NO_CLIENT_LOG})
        try:
            found = reader.committed(self._partitions(_read_by(group)), timeout=_SECONDS)
        finally:
            reader.close()
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        known = self.admin.list_topics(timeout=_SECONDS).topics
        return [
            TopicPartition(topic, partition)
            for topic in topics
            if topic in known
            for partition in known[topic].partitions
        ]

    def behind(self) -> list[str]:
        """The partitions of which a broker that should have a copy is not in sync, as topic/partition.

        Where no broker answers, that sentence.
        """
        try:
            topics = self.admin.list_topics(timeout=_SECONDS).topics
        except KafkaException as error:
            return [str(error)]
        return [
            f"{topic}/{number}"
            for topic, found in topics.items()
            for number, partition in found.partitions.items()
            if len(partition.isrs) < len(partition.replicas)
        ]

    def lag(self, group: str) -> Offsets:
        """How many messages the group has still to read, by partition; no partition without any."""
        committed = self.committed(group)
        ends = self.ends(_read_by(group))
        unread = {partition: end - committed.get(partition, 0) for partition, end in ends.items()}
        return {partition: count for partition, count in unread.items() if count}

    def read(self, start: Offsets, end: Offsets) -> list[Record]:
        """Every message from `start` up to `end`; partitions that `start` lacks are read from offset 0."""
        wanted = {each: offset for each, offset in end.items() if offset > start.get(each, 0)}
        if not wanted:
            return []
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                **NO_CLIENT_LOG,
            }
        )
        consumer.assign([TopicPartition(*each, start.get(each, 0)) for each in wanted])
        try:
            return _read_up_to(consumer, wanted)
        finally:
            consumer.close()

    def delete_group(self, group: str) -> None:
        """Deletes the group with its offsets, as soon as its last members have left."""
        end = time.monotonic() + _SECONDS
        while not self._is_deleted(group):
            assert time.monotonic() < end, f"{group} still has members"
            time.sleep(0.1)

    def _is_deleted(self, group: str) -> bool:
        [future] = self.admin.delete_consumer_groups([group], request_timeout=_SECONDS).values()
        try:
            future.result()
        except KafkaException as exception:
            code = exception.args[0].code()
            if code not in {KafkaError.NON_EMPTY_GROUP, KafkaError.GROUP_ID_NOT_FOUND}:
                raise
            return bool(code == KafkaError.GROUP_ID_NOT_FOUND)
        return True

    def delete_topics(self, topics: Sequence[str]) -> None:
        """Deletes the topics and waits until they are gone."""
        for future in self.admin.delete_topics(list(topics), operation_timeout=_SECONDS).values():
            future.result()
        end = time.monotonic() + _SECONDS
        while left := set(topics) & set(self.admin.list_topics(timeout=_SECONDS).topics):
            assert time.monotonic() < end, f"not deleted: {left}"
            time.sleep(0.05)


def _read_by(group: str) -> list[str]:
    return [*GROUPS[group], *(topic for topic in RETRIES if topic.startswith(f"{group}."))]


def _read_up_to(consumer: Consumer, wanted: Offsets) -> list[Record]:
    """Reads each partition to its end; `wanted` has no empty partition."""
    records: list[Record] = []
    unread = set(wanted)
    deadline = time.monotonic() + 6 * _SECONDS
    while unread:
        assert time.monotonic() < deadline, f"not read to the end: {unread}"
        for message in consumer.consume(1000, timeout=0.1):
            partition = str(message.topic()), int(message.partition() or 0)
            offset = int(message.offset() or 0)
            if message.error() is None and offset < wanted[partition]:
                records.append(as_record(message))
            if offset >= wanted[partition] - 1:
                unread.discard(partition)
    return records
