"""Reading a topic from its first message to the last one there is now, outside any group."""

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, TopicMetadata

from kafka_workers.runtime.broker.client_config import reader_config
from kafka_workers.runtime.broker.denial import is_denial, unavailable
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.group_topics import group_of_dead_letters

ANSWER_SECONDS = 10
_MESSAGES_AT_ONCE = 1000
_WAIT_SECONDS = 0.05


def groups_with_dead_letters() -> list[str]:
    """The groups that have a topic for dead letters. Raises BrokerUnavailable."""
    with Consumer(reader_config("dead-letters")) as consumer:
        groups = [group_of_dead_letters(name) for name in _topics(consumer)]
    return sorted(group for group in groups if group)


def read_topic(topic: str, group: str) -> Iterator[Message]:
    """The messages of a topic, in order within a partition; none where there is no such topic.

    Reads in the name of `group` without joining it. Raises AccessDenied, and BrokerUnavailable when nothing
    comes for some seconds.
    """
    with Consumer(reader_config(group)) as consumer:
        unread = set(partitions_of(consumer, topic, "READ"))
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
        deadline = time.monotonic() + ANSWER_SECONDS
        while unread:
            for message in consumer.consume(_MESSAGES_AT_ONCE, timeout=_WAIT_SECONDS):
                error = message.error()
                if error is not None and not _is_end(error, topic):
                    continue
                deadline = time.monotonic() + ANSWER_SECONDS
                if error is None:
                    yield message
                else:
                    unread.discard(int(message.partition() or 0))
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"{topic} could not be read to its end")


def partitions_of(client: Consumer | AdminClient, topic: str, operation: str) -> list[int]:
    """The partitions of a topic that we want to do this with; none where there is no such topic.

    Raises AccessDenied and BrokerUnavailable. A list of all topics would lack those that we may not see.
    """
    metadata = _topics(client, topic)[topic]
    if metadata.error is not None and is_denial(metadata.error):
        raise unavailable(metadata.error, operation, topic)
    return list(metadata.partitions)


def _topics(client: Consumer | AdminClient, name: str | None = None) -> dict[str, TopicMetadata]:
    try:
        return client.list_topics(name, timeout=ANSWER_SECONDS).topics
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception


def _is_end(error: KafkaError, topic: str) -> bool:
    """Whether this tells of the end of a partition. Raises BrokerUnavailable on an error that matters."""
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
        return True
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        # The client has looked for the group's coordinator in vain, and whoever joins no group needs none.
        return False
    raise unavailable(error, "READ", topic)
