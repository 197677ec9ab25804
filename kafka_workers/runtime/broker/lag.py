"""Consumer lag: how many messages each group has not read yet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Self

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConsumerGroupDescription,
    ListOffsetsResultInfo,
    MemberDescription,
    OffsetSpec,
    TopicMetadata,
)
from msgspec import Struct

from kafka_workers.runtime.broker.client_config import client_config, reader_config
from kafka_workers.runtime.broker.errors import UNKNOWN_TOPIC, exception_for
from kafka_workers.runtime.broker.moves import COORDINATOR_MOVED, LEADER_MOVED, ask_while_moved
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS
from kafka_workers.runtime.broker.topic_reader import partitions_of, require_answer, visible_topics
from kafka_workers.runtime.exceptions import BrokerUnavailable

CommittedOffsets = dict[tuple[str, int], int | None]
Offsets = dict[tuple[str, int], int]
"""By topic and partition."""


class PartitionLag(Struct, frozen=True, kw_only=True):
    """A partition that a group reads, with its offsets; `committed` is None before the first commit.

    The last `held` of its messages can be read only when a transaction that is open has ended.
    """

    group: str
    topic: str
    partition: int
    start: int
    end: int
    held: int
    committed: int | None

    @property
    def next_offset(self) -> int:
        """Where the group reads next: messages that retention has deleted are passed over.

        A committed offset behind the end is of an earlier topic of this name: the new one is read whole.
        """
        committed = self.committed or 0
        return committed if self.start <= committed <= self.end else self.start

    @property
    def lag(self) -> int:
        """Offsets that are not read yet, those of marks of transactions included."""
        return max(0, self.end - self.next_offset)


def read_lag(topics: Mapping[str, Sequence[str]]) -> list[PartitionLag]:
    """The lag of these groups as of now: see `LagReader.read`.

    Raises BrokerUnavailable, also where one of their partitions has no leader.
    """
    with LagReader() as reader:
        lags = reader.read(topics)
        if reader.leaderless:
            topic, partition = min(reader.leaderless)
            raise BrokerUnavailable(f"{topic}/{partition} has no leader")
        return lags


class LagReader:
    """Reads the lag of groups, again and again by the same connections. Use as a context manager.

    `leaderless` has the partitions that the last reading had to leave out, since no broker leads them.
    """

    def __init__(self) -> None:
        self.leaderless: set[tuple[str, int]] = set()
        self._admin = AdminClient(client_config("consumer-lag"))
        self._clients: dict[str, Consumer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_all_but(())

    def read(self, topics: Mapping[str, Sequence[str]]) -> list[PartitionLag]:
        """The lag of these groups, by group, topic and partition.

        `topics` gives the topics that each group reads; other topics with a committed offset are added.
        Raises BrokerUnavailable.
        """
        self._close_all_but(topics)
        visible = visible_topics(self._admin)
        try:
            committed = {group: self._committed(group, names, visible) for group, names in topics.items()}
            wanted = {partition for offsets in committed.values() for partition in offsets}
            # Asking for one of them would fail the whole request.
            self.leaderless = wanted & leaderless_partitions(visible)
            partitions = wanted - self.leaderless
            starts = offsets_of(self._admin, partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            readable = offsets_of(self._admin, partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
            latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
            ends = offsets_of(self._admin, partitions, latest, committed_only=False)
        except KafkaException as exception:
            raise BrokerUnavailable(exception.args[0].str()) from exception
        return [
            PartitionLag(
                group=group,
                topic=topic,
                partition=partition,
                start=starts[topic, partition],
                end=ends[topic, partition],
                held=max(0, ends[topic, partition] - readable[topic, partition]),
                committed=offset,
            )
            for group, offsets in sorted(committed.items())
            for (topic, partition), offset in sorted(offsets.items())
            if (topic, partition) in starts.keys() & readable.keys() & ends.keys()
        ]

    def group_names(self) -> list[str]:
        """All consumer groups of the cluster, of this system and of others. Raises BrokerUnavailable.

        Old clients may commit as a group without a name: it is left out, for no client can ask about it.
        """
        require_answer(self._admin)
        try:
            listing = self._admin.list_consumer_groups(request_timeout=ANSWER_SECONDS).result()
        except KafkaException as exception:
            raise BrokerUnavailable(exception.args[0].str()) from exception
        return [group.group_id for group in listing.valid if group.group_id]

    def assigned(self, groups: Sequence[str]) -> set[tuple[str, str, int]]:
        """Group, topic and partition wherever a member of these groups reads. Raises BrokerUnavailable."""
        if not groups:
            return set()
        require_answer(self._admin)
        futures = self._admin.describe_consumer_groups(list(groups), request_timeout=ANSWER_SECONDS)
        return {
            (group, each.topic, each.partition)
            for group, future in futures.items()
            for member in _members(future)
            for each in member.assignment.topic_partitions
        }

    def _close_all_but(self, groups: Collection[str]) -> None:
        for gone in self._clients.keys() - groups:
            self._clients.pop(gone).close()

    def _committed(
        self, group: str, names: Sequence[str], visible: Mapping[str, TopicMetadata]
    ) -> CommittedOffsets:
        for name in names:
            if name not in visible:
                partitions_of(self._admin, name, "DESCRIBE")
        all_partitions = [
            TopicPartition(name, partition)
            for name, topic in visible.items()
            for partition in topic.partitions
        ]
        # The admin client's request for offsets crashes the process (librdkafka 2.16, rd_kafka_cgrp_op
        # without a group) when the coordinator has just started or moved.
        consumer = self._clients.get(group)
        if consumer is None:
            consumer = self._clients[group] = Consumer(reader_config(group))
        try:
            stored = ask_while_moved(
                lambda seconds: consumer.committed(all_partitions, timeout=seconds), COORDINATOR_MOVED
            )
        except KafkaException as exception:
            raise exception_for(_cause(consumer, exception), "DESCRIBE", group) from exception
        return {
            (each.topic, each.partition): each.offset if each.offset >= 0 else None
            for each in stored
            if each.offset >= 0 or each.topic in names
        }


def _members(future: Future[ConsumerGroupDescription]) -> Sequence[MemberDescription]:
    """The members of a group; none of one that has just been deleted. Raises BrokerUnavailable."""
    try:
        return future.result().members
    except KafkaException as exception:
        if exception.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return []
        raise BrokerUnavailable(exception.args[0].str()) from exception


def _cause(consumer: Consumer, exception: KafkaException) -> KafkaError:
    """The error of the client's group where it reports one, since the call's own error may be a timeout."""
    message = consumer.poll(0)
    return (message.error() if message is not None else None) or exception.args[0]


def leaderless_partitions(topics: Mapping[str, TopicMetadata]) -> set[tuple[str, int]]:
    """The partitions of these topics that no broker leads: nobody can read or write them."""
    return {
        (name, number)
        for name, topic in topics.items()
        for number, partition in topic.partitions.items()
        if partition.leader < 0
    }


def offsets_of(
    admin: AdminClient,
    partitions: Iterable[tuple[str, int]],
    spec: OffsetSpec,
    *,
    committed_only: bool = True,
) -> Offsets:
    """The offsets of partitions, without deleted topics, which a group may still have committed offsets of.

    Of messages in open transactions too unless `committed_only`. Raises BrokerUnavailable and KafkaException.
    """
    wanted = {TopicPartition(*partition): spec for partition in partitions}
    if not wanted:
        return {}
    level = IsolationLevel.READ_COMMITTED if committed_only else IsolationLevel.READ_UNCOMMITTED

    def ask(seconds: float) -> Offsets:
        futures = admin.list_offsets(wanted, isolation_level=level, request_timeout=seconds)
        found = {(each.topic, each.partition): _offset(future) for each, future in futures.items()}
        return {partition: offset for partition, offset in found.items() if offset is not None}

    # The client keeps the leaders that it knows, also after such an answer.
    return ask_while_moved(ask, LEADER_MOVED, find=lambda: visible_topics(admin))


def _offset(future: Future[ListOffsetsResultInfo]) -> int | None:
    try:
        return future.result().offset
    except KafkaException as exception:
        if exception.args[0].code() in UNKNOWN_TOPIC:
            return None
        raise
