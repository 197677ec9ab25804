"""How far topics and their readers have come."""

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from devtools.benchmarks.figures import MeasurementFailed
from devtools.benchmarks.kafka_client import NO_CLIENT_LOG
from devtools.benchmarks.raw_kafka import Prepared


class Topics:
    """The topics of these brokers."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._admin = AdminClient({"bootstrap.servers": brokers, **NO_CLIENT_LOG})

    def end(self, topic: str) -> int:
        """How many messages a topic has had, over its partitions."""
        return sum(self.partition_ends(topic))

    def partition_ends(self, topic: str) -> list[int]:
        """The end offset of each partition."""
        consumer = self._consumer("bench-watermarks")
        try:
            found = [
                consumer.get_watermark_offsets(each, timeout=10) or (0, 0) for each in self._partitions(topic)
            ]
        finally:
            consumer.close()
        return [high for _, high in found]

    def has_leaders(self, topic: str) -> bool:
        """Whether a topic that has just been created can be read and written."""
        try:
            self.partition_ends(topic)
        except KafkaException:
            return False
        return True

    def first_message(self, topic: str) -> Prepared:
        """Key, value and headers of a message of the topic."""
        consumer = self._consumer("bench-samples")
        try:
            consumer.assign(
                [TopicPartition(each.topic, each.partition, 0) for each in self._partitions(topic)]
            )
            message = consumer.poll(10)
            if message is None or message.error():
                raise MeasurementFailed(f"no message in {topic}")
            headers = list(dict(message.headers() or {}).items())
            return (message.key() or b"").decode(), message.value() or b"", headers
        finally:
            consumer.close()

    def committed_by(self, group: str, topic: str) -> "CommittedCount":
        """A counter of the messages of the topic that the group has committed."""
        return CommittedCount(self._consumer(group), self._partitions(topic))

    def readers(self, group: str, topic: str) -> int:
        """How many members of the group have partitions of the topic; 0 while the brokers make the group."""
        [future] = self._admin.describe_consumer_groups([group]).values()
        try:
            members = future.result().members
        except KafkaException:
            return 0
        assigned = [member.assignment.topic_partitions for member in members]
        return sum(any(each.topic == topic for each in partitions) for partitions in assigned)

    def _consumer(self, group: str) -> Consumer:
        return Consumer({"bootstrap.servers": self._brokers, "group.id": group, **NO_CLIENT_LOG})

    def _partitions(self, topic: str) -> list[TopicPartition]:
        known = self._admin.list_topics(topic, timeout=10).topics[topic].partitions
        return [TopicPartition(topic, partition) for partition in sorted(known)]


class CommittedCount:
    """The number of messages of a topic that a group has committed, read over one connection."""

    def __init__(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._partitions = partitions
        self._consumer = consumer

    def __call__(self) -> int:
        """The number now."""
        found = self._consumer.committed(self._partitions, timeout=10)
        return sum(max(0, each.offset) for each in found)

    def close(self) -> None:
        """Closes the connection."""
        self._consumer.close()
