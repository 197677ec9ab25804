"""How far each group is behind."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec
from msgspec import Struct

from kafka_workers.runtime.broker.client_config import client_config, reader_config
from kafka_workers.runtime.broker.denial import unavailable
from kafka_workers.runtime.broker.topic_reader import partitions_of
from kafka_workers.runtime.exceptions import BrokerUnavailable

ADMIN_SECONDS = 10
Offsets = dict[tuple[str, int], int | None]
_GONE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID}


class PartitionLag(Struct, frozen=True, kw_only=True):
    """A partition that a group reads; offsets, `committed` is None where the group has not committed yet."""

    group: str
    topic: str
    partition: int
    start: int
    end: int
    committed: int | None

    @property
    def lag(self) -> int:
        """Messages still to be read; those that retention has deleted do not count."""
        return max(0, self.end - max(self.start, self.committed or 0))


def read_lag(topics: Mapping[str, Sequence[str]]) -> list[PartitionLag]:
    """The lag of these groups, by group, topic and partition.

    `topics` says which topics each group reads; those that it has committed to besides are found. Raises
    BrokerUnavailable.
    """
    admin = AdminClient(client_config("consumer-lag"))
    try:
        committed = {group: _committed(admin, group, names) for group, names in topics.items()}
        partitions = {partition for offsets in committed.values() for partition in offsets}
        starts = _offsets(admin, partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = _offsets(admin, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception
    return [
        PartitionLag(
            group=group,
            topic=topic,
            partition=partition,
            start=starts[topic, partition],
            end=ends[topic, partition],
            committed=offset,
        )
        for group, offsets in sorted(committed.items())
        for (topic, partition), offset in sorted(offsets.items())
        if (topic, partition) in starts.keys() & ends.keys()
    ]


def group_names() -> list[str]:
    """All consumer groups of the cluster, our own or not. Raises BrokerUnavailable."""
    admin = AdminClient(client_config("consumer-lag"))
    try:
        listing = admin.list_consumer_groups(request_timeout=ADMIN_SECONDS).result()
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception
    return [group.group_id for group in listing.valid]


def _committed(admin: AdminClient, group: str, names: Sequence[str]) -> Offsets:
    visible = admin.list_topics(timeout=ADMIN_SECONDS).topics
    for name in names:
        if name not in visible:
            partitions_of(admin, name, "DESCRIBE")
    everywhere = [
        TopicPartition(name, partition) for name, topic in visible.items() for partition in topic.partitions
    ]
    # The admin client's own request for offsets ends the process (librdkafka 2.16, rd_kafka_cgrp_op without a
    # group) when the coordinator has just started or moved.
    with Consumer(reader_config(group)) as consumer:
        try:
            stored = consumer.committed(everywhere, timeout=ADMIN_SECONDS)
        except KafkaException as exception:
            raise unavailable(_reason(consumer, exception), "DESCRIBE", group) from exception
    return {
        (each.topic, each.partition): each.offset if each.offset >= 0 else None
        for each in stored
        if each.offset >= 0 or each.topic in names
    }


def _reason(consumer: Consumer, exception: KafkaException) -> KafkaError:
    """Why there was no answer: what keeps a client from its group it tells apart from what it was asked."""
    told = consumer.poll(0)
    return (told.error() if told is not None else None) or exception.args[0]


def _offsets(
    admin: AdminClient, partitions: Iterable[tuple[str, int]], spec: OffsetSpec
) -> dict[tuple[str, int], int]:
    """Offsets as readers of committed transactions see them; deleted topics are left out."""
    wanted = {TopicPartition(*partition): spec for partition in partitions}
    if not wanted:
        return {}
    futures = admin.list_offsets(
        wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ADMIN_SECONDS
    )
    found = {(each.topic, each.partition): _offset(future) for each, future in futures.items()}
    return {partition: offset for partition, offset in found.items() if offset is not None}


def _offset(future: Future[ListOffsetsResultInfo]) -> int | None:
    try:
        return future.result().offset
    except KafkaException as exception:
        if exception.args[0].code() in _GONE:
            return None
        raise
