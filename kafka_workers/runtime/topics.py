"""Creating the topics, and saying where an existing one differs from the settings."""

from datetime import timedelta

from django.conf import settings
from msgspec import Struct

from kafka_workers.runtime.client_config import MESSAGE_BYTES, SET_ASIDE_BYTES
from kafka_workers.runtime.group_topics import dead_letter_topic, retry_topics, settled_topic

DEAD_LETTER_RETENTION = timedelta(days=30)


class Topic(Struct, frozen=True, kw_only=True):
    """A topic as it should be; `message_bytes` is its largest message."""

    name: str
    partitions: int
    replication: int
    retention: timedelta
    message_bytes: int = MESSAGE_BYTES


def business_topic(name: str) -> Topic:
    """A topic that carries commands or facts, as the settings want it."""
    return Topic(
        name=name,
        partitions=settings.KAFKA_PARTITIONS,
        replication=settings.KAFKA_REPLICATION_FACTOR,
        retention=timedelta(days=settings.KAFKA_RETENTION_DAYS),
    )


def topics_of_group(group: str) -> list[Topic]:
    """The topics a group has to itself. One partition each: few messages go there, in their order."""
    retries = len(settings.RETRY_DELAYS_SECONDS)
    return [
        *(_set_aside(name, DEAD_LETTER_RETENTION) for name in retry_topics(group, retries)),
        _set_aside(dead_letter_topic(group), DEAD_LETTER_RETENTION),
        # Outlives every dead letter that it speaks of.
        _set_aside(settled_topic(group), 2 * DEAD_LETTER_RETENTION),
    ]


def _set_aside(name: str, retention: timedelta) -> Topic:
    return Topic(
        name=name,
        partitions=1,
        replication=settings.KAFKA_REPLICATION_FACTOR,
        retention=retention,
        message_bytes=SET_ASIDE_BYTES,
    )
