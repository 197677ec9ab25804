"""Reading a topic from its first message to the last one there is now, outside any group."""

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from kafka_workers.runtime.client_config import reader_config
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.group_topics import group_of_dead_letters

ANSWER_SECONDS = 10
_MESSAGES_AT_ONCE = 1000
_WAIT_SECONDS = 0.05


def groups_with_dead_letters() -> list[str]:
    """The groups that have a topic for dead letters. Raises BrokerUnavailable."""
    with Consumer(reader_config("dead-letters")) as consumer:
        groups = [group_of_dead_letters(name) for name in _partitions(consumer)]
    return sorted(group for group in groups if group)


def read_topic(topic: str, group: str) -> Iterator[Message]:
    """The messages of a topic, in order within a partition; none where there is no such topic.

    Reads in the name of `group`, which has the right to, without joining it. Raises BrokerUnavailable when
    nothing comes for some seconds.
    """
    with Consumer(reader_config(group)) as consumer:
        unread = set(_partitions(consumer).get(topic, ()))
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
        deadline = time.monotonic() + ANSWER_SECONDS
        while unread:
            for message in consumer.consume(_MESSAGES_AT_ONCE, timeout=_WAIT_SECONDS):
                deadline = time.monotonic() + ANSWER_SECONDS
                if _is_end(message):
                    unread.discard(int(message.partition() or 0))
                else:
                    yield message
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"{topic} could not be read to its end")


def _partitions(consumer: Consumer) -> dict[str, list[int]]:
    try:
        topics = consumer.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception
    return {name: list(metadata.partitions) for name, metadata in topics.items()}


def _is_end(message: Message) -> bool:
    """Whether this is the end of a partition instead of a message. Raises BrokerUnavailable on an error."""
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
        return True
    raise BrokerUnavailable(error.str())
