"""Creating the topics, and reporting where an existing one differs from the settings."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    TopicDescription,
    TopicMetadata,
)
from django.conf import settings
from msgspec import Struct

from kafka_workers.runtime.broker.client_config import FAILED_MESSAGE_BYTES, MESSAGE_BYTES, client_config
from kafka_workers.runtime.broker.errors import (
    UNKNOWN_TOPIC,
    describe_missing_acl,
    exception_for,
    is_missing_acl,
)
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS, REACH_SECONDS
from kafka_workers.runtime.broker.topic_reader import require_answer
from kafka_workers.runtime.exceptions import BrokerUnavailable, TopicNotCreated
from kafka_workers.runtime.group_topics import dead_letter_topic, resolution_topic, retry_topics

T = TypeVar("T")

LONGEST_TRANSACTION = timedelta(minutes=1)
"""For so long at most a broker should let a program keep a transaction open: it holds up all readers."""
_TRANSACTION_LIMIT = "transaction.max.timeout.ms"

DEAD_LETTER_RETENTION = timedelta(days=30)


class Topic(Struct, frozen=True, kw_only=True):
    """A topic as the settings want it; `message_bytes` is its largest message."""

    name: str
    partitions: int
    replication: int
    retention: timedelta
    message_bytes: int = MESSAGE_BYTES

    @property
    def config(self) -> dict[str, str]:
        """The topic settings that can be altered after its creation."""
        return {
            "retention.ms": str(self.retention // timedelta(milliseconds=1)),
            "max.message.bytes": str(self.message_bytes),
        }


class TopicReport(Struct, frozen=True):
    """The topics that `create_topics` created, and a sentence for each altered and each differing setting."""

    created: list[str]
    altered: list[str]
    differing: list[str]


def business_topic(name: str) -> Topic:
    """A topic of commands or facts, as the settings want it."""
    return Topic(
        name=name,
        partitions=settings.KAFKA_PARTITIONS,
        replication=settings.KAFKA_REPLICATION_FACTOR,
        retention=timedelta(days=settings.KAFKA_RETENTION_DAYS),
    )


def topics_of_group(group: str) -> list[Topic]:
    """The topics that a group owns. Each has one partition: its messages are few and stay in order."""
    retries = len(settings.RETRY_DELAYS_SECONDS)
    return [
        *(_failed_message_topic(name, DEAD_LETTER_RETENTION) for name in retry_topics(group, retries)),
        _failed_message_topic(dead_letter_topic(group), DEAD_LETTER_RETENTION),
        # A resolution is kept longer than the dead letter it is about.
        _failed_message_topic(resolution_topic(group), 2 * DEAD_LETTER_RETENTION),
    ]


def create_topics(topics: Sequence[Topic]) -> TopicReport:
    """Create missing topics, and correct the retention and message size of existing ones.

    A differing number of partitions is reported and not changed, because a change moves keys: see
    `add_partitions`. A second run changes nothing. Raises BrokerUnavailable, and TopicNotCreated with the
    broker's reason.
    """
    admin = AdminClient(client_config("create-topics"))
    try:
        cluster = admin.list_topics(timeout=REACH_SECONDS)
        existing = cluster.topics
        created = _create(admin, [topic for topic in topics if topic.name not in existing])
        present = [topic for topic in topics if topic.name in existing]
        differing = [*_differing(present, existing), *_long_transactions(admin, min(cluster.brokers))]
        return TopicReport(created, _alter(admin, present), differing)
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception


def add_partitions(topics: Sequence[Topic]) -> list[str]:
    """Give existing topics as many partitions as the settings want; a sentence for each that had fewer.

    From then on a key may belong to another partition than before (docs/partitions.md). Raises
    BrokerUnavailable, and AccessDenied: for a topic that this user may not see before anything is added.
    """
    admin = AdminClient(client_config("add-partitions"))
    try:
        require_answer(admin)
        before = _partition_counts(admin, list(dict.fromkeys(topic.name for topic in topics)))
        few = [topic for topic in topics if before.get(topic.name, topic.partitions) < topic.partitions]
        _grow(admin, few)
    except KafkaException as exception:
        raise BrokerUnavailable(exception.args[0].str()) from exception
    return [f"{topic.name} had {before[topic.name]} partitions, now has {topic.partitions}" for topic in few]


def _partition_counts(admin: AdminClient, names: list[str]) -> dict[str, int]:
    """How many partitions these topics have, without topics that do not exist.

    Each is asked for by name, because a list of all topics omits those that this user may not see. Raises
    AccessDenied for such a one, and BrokerUnavailable.
    """
    futures = admin.describe_topics(TopicCollection(names), request_timeout=ANSWER_SECONDS)
    found = {name: _description(name, future) for name, future in futures.items()}
    return {name: len(topic.partitions) for name, topic in found.items() if topic}


def _description(name: str, future: Future[TopicDescription]) -> TopicDescription | None:
    try:
        return future.result()
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        if error.code() in UNKNOWN_TOPIC:
            return None
        raise exception_for(error, "DESCRIBE", name) from exception


def _grow(admin: AdminClient, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    wanted = [NewPartitions(topic.name, topic.partitions) for topic in topics]
    for name, future in admin.create_partitions(wanted, request_timeout=ANSWER_SECONDS).items():
        _result(future, "ALTER", name)


def _create(admin: AdminClient, topics: Sequence[Topic]) -> list[str]:
    if not topics:
        return []
    futures = admin.create_topics([_new_topic(topic) for topic in topics], request_timeout=ANSWER_SECONDS)
    return [name for name, future in futures.items() if _is_created(name, future)]


def _is_created(name: str, future: Future[None]) -> bool:
    """False for a topic that another process has just created. Raises TopicNotCreated."""
    try:
        future.result()
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        if error.retriable():
            raise
        reason = describe_missing_acl(error, "CREATE", name) if is_missing_acl(error) else error.str()
        raise TopicNotCreated(name, reason) from exception
    return True


def _new_topic(topic: Topic) -> NewTopic:
    in_sync = {"min.insync.replicas": str(max(1, topic.replication - 1))}
    return NewTopic(topic.name, topic.partitions, topic.replication, config=topic.config | in_sync)


def _alter(admin: AdminClient, topics: Sequence[Topic]) -> list[str]:
    changes = {topic.name: changed for topic in topics if (changed := _changes(admin, topic))}
    if changes:
        resources = [_resource(name, changed) for name, changed in changes.items()]
        futures = admin.incremental_alter_configs(resources, request_timeout=ANSWER_SECONDS)
        for resource, future in futures.items():
            _result(future, "ALTER_CONFIGS", resource.name)
    return [
        f"{name}: {key} was {before}, is now {after}"
        for name, changed in changes.items()
        for key, (before, after) in changed.items()
    ]


def _changes(admin: AdminClient, topic: Topic) -> dict[str, tuple[str, str]]:
    """The settings of an existing topic that differ, each with its present and its wanted value."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name)
    [future] = admin.describe_configs([resource], request_timeout=ANSWER_SECONDS).values()
    current: Mapping[str, ConfigEntry] = _result(future, "DESCRIBE_CONFIGS", topic.name)
    return {
        key: (str(current[key].value), wanted)
        for key, wanted in topic.config.items()
        if current[key].value != wanted
    }


def _result(future: Future[T], operation: str, topic: str) -> T:
    """Raises AccessDenied or BrokerUnavailable."""
    try:
        return future.result()
    except KafkaException as exception:
        raise exception_for(exception.args[0], operation, topic) from exception


def _resource(name: str, changed: Mapping[str, tuple[str, str]]) -> ConfigResource:
    entries = [
        ConfigEntry(key, wanted, incremental_operation=AlterConfigOpType.SET)
        for key, (_, wanted) in changed.items()
    ]
    return ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)


def _differing(topics: Sequence[Topic], existing: Mapping[str, TopicMetadata]) -> list[str]:
    return [
        f"{topic.name} has {len(existing[topic.name].partitions)} partitions, not {topic.partitions}"
        for topic in topics
        if len(existing[topic.name].partitions) != topic.partitions
    ]


def _long_transactions(admin: AdminClient, broker: int) -> list[str]:
    """A sentence if the broker lets transactions stay open for long; none where it does not tell."""
    resource = ConfigResource(ConfigResource.Type.BROKER, str(broker))
    [future] = admin.describe_configs([resource], request_timeout=ANSWER_SECONDS).values()
    try:
        found = timedelta(milliseconds=int(future.result()[_TRANSACTION_LIMIT].value))
    except (KafkaException, KeyError):  # without DESCRIBE_CONFIGS on the cluster
        return []
    if found <= LONGEST_TRANSACTION:
        return []
    found_ms, advised_ms = (each // timedelta(milliseconds=1) for each in (found, LONGEST_TRANSACTION))
    sentence = (
        f"the brokers' {_TRANSACTION_LIMIT} is {found_ms}, not {advised_ms} or less: for so long any "
        "program that may write to a topic can hold up its readers"
    )
    return [sentence]


def _failed_message_topic(name: str, retention: timedelta) -> Topic:
    return Topic(
        name=name,
        partitions=1,
        replication=settings.KAFKA_REPLICATION_FACTOR,
        retention=retention,
        message_bytes=FAILED_MESSAGE_BYTES,
    )
