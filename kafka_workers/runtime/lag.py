"""How far each group is behind."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec
from msgspec import Struct

from kafka_workers.runtime.client_config import client_config, reader_config
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


def read_lag(groups: Sequence[str] = ()) -> list[PartitionLag]:
    """The lag of these groups, or of all, by group, topic and partition.

    A group's partitions are those it has committed to and those assigned to its members now. Raises
    BrokerUnavailable.
    """
    admin = AdminClient(client_config("consumer-lag"))
    try:
        committed = {group: _committed(admin, group) for group in groups or _all_groups(admin)}
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
        if (topic, partition) in ends
    ]


def _all_groups(admin: AdminClient) -> list[str]:
    listing = admin.list_consumer_groups(request_timeout=ADMIN_SECONDS).result()
    return [group.group_id for group in listing.valid]


def _committed(admin: AdminClient, group: str) -> Offsets:
    [described] = admin.describe_consumer_groups([group], request_timeout=ADMIN_SECONDS).values()
    assigned: Offsets = {
        (each.topic, each.partition): None
        for member in described.result().members
        for each in member.assignment.topic_partitions
    }
    topics = admin.list_topics(timeout=ADMIN_SECONDS).topics.values()
    everywhere = [
        TopicPartition(topic.topic, partition) for topic in topics for partition in topic.partitions
    ]
    # The admin client's own request for offsets ends the process (librdkafka 2.16, rd_kafka_cgrp_op without a
    # group) when the coordinator has just moved or started.
    with Consumer(reader_config(group)) as consumer:
        stored = consumer.committed(everywhere, timeout=ADMIN_SECONDS)
    return assigned | {(each.topic, each.partition): each.offset for each in stored if each.offset >= 0}


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
