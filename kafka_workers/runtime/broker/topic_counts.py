"""How much was written into each topic, how much of it is kept, and whether every copy is there."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec, PartitionMetadata, TopicMetadata
from msgspec import Struct

from kafka_workers.runtime.broker.client_config import client_config
from kafka_workers.runtime.broker.lag import Offsets, leaderless_partitions, offsets_of
from kafka_workers.runtime.broker.topic_reader import visible_topics
from kafka_workers.runtime.exceptions import BrokerUnavailable


class TopicCounts(Struct, frozen=True, kw_only=True):
    """A topic over all its partitions. Marks of transactions count as records, as offsets do."""

    topic: str
    written: int
    """Records since the topic was created."""
    kept: int
    """Of them, those that retention has not deleted; records that compaction has deleted count."""
    under_replicated: int
    """Partitions without a leader, or with fewer copies in step than there are copies."""


class TopicCounter:
    """Counts again and again by one connection; a partition without a leader counts as it was before."""

    def __init__(self) -> None:
        self._admin = AdminClient(client_config("topic-counts"))
        self._starts: Offsets = {}
        self._ends: Offsets = {}

    def count(self) -> list[TopicCounts]:
        """Every topic that this user may see, but for those of Kafka itself. Raises BrokerUnavailable."""
        visible = visible_topics(self._admin)
        topics = {name: topic for name, topic in visible.items() if not name.startswith("__")}
        partitions = {(name, number) for name, topic in topics.items() for number in topic.partitions}
        wanted = partitions - leaderless_partitions(topics)
        try:
            self._starts |= offsets_of(self._admin, wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            self._ends |= offsets_of(self._admin, wanted, OffsetSpec.latest(), committed_only=False)  # type: ignore[no-untyped-call]
        except KafkaException as exception:
            raise BrokerUnavailable(exception.args[0].str()) from exception
        for gone in self._ends.keys() - partitions:
            del self._starts[gone], self._ends[gone]
        return [_counts(name, topic, self._starts, self._ends) for name, topic in sorted(topics.items())]


def _counts(name: str, topic: TopicMetadata, starts: Offsets, ends: Offsets) -> TopicCounts:
    partitions = [(name, number) for number in topic.partitions]
    written = sum(ends.get(each, 0) for each in partitions)
    return TopicCounts(
        topic=name,
        written=written,
        kept=written - sum(starts.get(each, 0) for each in partitions),
        under_replicated=sum(map(_is_under_replicated, topic.partitions.values())),
    )


def _is_under_replicated(partition: PartitionMetadata) -> bool:
    return partition.leader < 0 or len(partition.isrs) < len(partition.replicas)
