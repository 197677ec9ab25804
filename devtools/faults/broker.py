"""Kafka as a plain client sees it: how far the topics go, how far the groups are, what lies in between."""

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

# A client of a server that is struck has nothing to say about that.
QUIET = {"log_level": 0}

_SECONDS = 10.0
Partition = tuple[str, int]
Offsets = Mapping[Partition, int]


class Broker:
    """One plain administrator of one cluster."""

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers
        self.admin = AdminClient({"bootstrap.servers": brokers, **QUIET})

    def ends(self, topics: Iterable[str]) -> Offsets:
        """The end of each partition of those of the topics that exist."""
        partitions = self._partitions(topics)
        if not partitions:
            return {}
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's own gap
        futures = self.admin.list_offsets(dict.fromkeys(partitions, latest), request_timeout=_SECONDS)
        return {(each.topic, each.partition): future.result().offset for each, future in futures.items()}

    def committed(self, group: str) -> Offsets:
        """Where the group reads on, by partition; what it never committed is missing."""
        # The administrator's own request for offsets hangs, or worse, after a broker's death.
        reader = Consumer({"bootstrap.servers": self.brokers, "group.id": group, **QUIET})
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

    def lag(self, group: str) -> Offsets:
        """How many messages wait for the group, by partition, where any do."""
        committed = self.committed(group)
        waiting = {place: end - committed.get(place, 0) for place, end in self.ends(_read_by(group)).items()}
        return {place: count for place, count in waiting.items() if count}

    def read(self, start: Offsets, end: Offsets) -> list[Record]:
        """Every message from `start` (the beginning, where it says nothing) up to `end`."""
        wanted = {place: offset for place, offset in end.items() if offset > start.get(place, 0)}
        if not wanted:
            return []
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                **QUIET,
            }
        )
        consumer.assign([TopicPartition(*place, start.get(place, 0)) for place in wanted])
        try:
            return _read_up_to(consumer, wanted)
        finally:
            consumer.close()

    def forget_group(self, group: str) -> None:
        """Makes the group one that never was, as soon as its last members have left."""
        end = time.monotonic() + _SECONDS
        while not self._is_forgotten(group):
            assert time.monotonic() < end, f"{group} still has members"
            time.sleep(0.1)

    def _is_forgotten(self, group: str) -> bool:
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
            assert time.monotonic() < end, f"still there: {left}"
            time.sleep(0.05)


def _read_by(group: str) -> list[str]:
    return [*GROUPS[group], *(topic for topic in RETRIES if topic.startswith(f"{group}."))]


def _read_up_to(consumer: Consumer, wanted: Offsets) -> list[Record]:
    """Reads until each partition has been read to its end; those are never empty."""
    records: list[Record] = []
    open_partitions = set(wanted)
    deadline = time.monotonic() + 6 * _SECONDS
    while open_partitions:
        assert time.monotonic() < deadline, f"not read to the end: {open_partitions}"
        for message in consumer.consume(1000, timeout=0.1):
            place = str(message.topic()), int(message.partition() or 0)
            offset = int(message.offset() or 0)
            if message.error() is None and offset < wanted[place]:
                records.append(as_record(message))
            if offset >= wanted[place] - 1:
                open_partitions.discard(place)
    return records
