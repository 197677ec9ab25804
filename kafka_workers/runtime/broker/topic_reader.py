"""Reading topics from their first message to their present end, without joining a group."""

import time
from collections.abc import Collection, Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, TopicMetadata

from kafka_workers.runtime.broker.client_config import reader_config
from kafka_workers.runtime.broker.errors import exception_for, is_missing_acl
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS, REACH_SECONDS
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.group_topics import group_of_dead_letters

READER = "dead-letters"
"""The group id of a reader that searches the dead letters of all groups; it joins none."""
_MESSAGES_AT_ONCE = 1000
_WAIT_SECONDS = 0.05
# The broker holds back a fetch that finds no messages for so long; most dead-letter topics are empty.
_READING_TO_THE_END = {"fetch.wait.max.ms": 10}


def visible_topics(client: Consumer | AdminClient, name: str | None = None) -> dict[str, TopicMetadata]:
    """All topics that this user may see, by name, or this one alone, which may be missing or forbidden.

    Raises BrokerUnavailable.
    """
    try:
        return client.list_topics(name, timeout=REACH_SECONDS).topics
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception


def require_answer(client: Consumer | AdminClient) -> None:
    """Raises BrokerUnavailable unless a broker answers within some seconds.

    Other requests of the admin client take longer than their own time limit to fail.
    """
    visible_topics(client)


def groups_with_dead_letters() -> list[str]:
    """The groups that have a dead-letter topic. Raises BrokerUnavailable."""
    with Consumer(reader_config(READER)) as consumer:
        groups = {group_of_dead_letters(name) for name in visible_topics(consumer)}
    return sorted(group for group in groups if group)


def read_topics(topics: Collection[str], group: str) -> Iterator[Message]:
    """The messages of these topics, in order within a partition; none of a topic that does not exist.

    Uses the id of `group` without joining it. Raises AccessDenied, and BrokerUnavailable when nothing arrives
    for some seconds.
    """
    with Consumer(reader_config(group) | _READING_TO_THE_END) as consumer:
        unread = {
            (topic, partition) for topic in topics for partition in partitions_of(consumer, topic, "READ")
        }
        consumer.assign([TopicPartition(*each, OFFSET_BEGINNING) for each in unread])
        deadline = time.monotonic() + ANSWER_SECONDS
        while unread:
            for message in consumer.consume(_MESSAGES_AT_ONCE, timeout=_WAIT_SECONDS):
                error, topic = message.error(), str(message.topic())
                if error is not None and not is_end(error, topic):
                    continue
                deadline = time.monotonic() + ANSWER_SECONDS
                if error is None:
                    yield message
                else:
                    unread.discard((topic, int(message.partition() or 0)))
            if time.monotonic() > deadline:
                topics_left = ", ".join(sorted({topic for topic, _ in unread}))
                raise BrokerUnavailable(f"{topics_left} could not be read to the end")


def first_offsets(topic: str, group: str) -> dict[int, int]:
    """The offset of the first message that each partition of a topic still has; none without the topic.

    Uses the id of `group` without joining it. Raises AccessDenied and BrokerUnavailable.
    """
    with Consumer(reader_config(group)) as consumer:
        try:
            return {
                partition: consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=ANSWER_SECONDS
                )[0]
                for partition in partitions_of(consumer, topic, "READ")
            }
        except KafkaException as exception:
            raise exception_for(exception.args[0], "READ", topic) from exception


def partitions_of(client: Consumer | AdminClient, topic: str, operation: str) -> list[int]:
    """The partitions of a topic, for this operation; none when the topic does not exist.

    Raises AccessDenied and BrokerUnavailable. Asks for the topic by name, because a list of all topics omits
    those without a DESCRIBE permission.
    """
    metadata = visible_topics(client, topic)[topic]
    if metadata.error is not None and is_missing_acl(metadata.error):
        raise exception_for(metadata.error, operation, topic)
    return list(metadata.partitions)


def is_end(error: KafkaError, topic: str) -> bool:
    """Whether a reader without a group met the end of a partition; False for an error to ignore.

    Raises AccessDenied and BrokerUnavailable for others.
    """
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
        return True
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        # Only a member of the group needs the group's coordinator, which the client has looked for.
        return False
    raise exception_for(error, "READ", topic)
