"""The users on the broker, and the least that each may do there (docs/kafka-security.md)."""

from collections.abc import Iterable, Iterator, Sequence

from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.runtime.broker.access import Operation, Permission, ResourceKind
from kafka_workers.runtime.broker.topics import topics_of_group
from kafka_workers.runtime.dead_letters.resolver import resolver_transactional_id
from kafka_workers.runtime.group_topics import dead_letter_topic, resolution_topic
from kafka_workers.workers import ANALYTICS, GROUPS, LAG_EXPORTER, WORKERS, Consumer, Worker

TOPICS = "stockbridge-topics"
DEAD_LETTERS = "stockbridge-dead-letters"
LAG = LAG_EXPORTER.principal

PURPOSES = {
    TOPICS: "`create_topics`",
    **{worker.principal: f"`{worker.command}`" for worker in WORKERS if worker.principal},
    ANALYTICS.principal: f"`{ANALYTICS.command}`, `rebuild_analytics --from kafka`",
    DEAD_LETTERS: "`dead_letters`, and the web processes for the admin's pages of dead letters",
    LAG: "`run_lag_exporter`, `consumer_lag`, `audit_stock`",
}
"""The users, and what runs in the name of each."""


def all_permissions() -> list[Permission]:
    """Every permission of every user; the number of retry topics is that of RETRY_DELAYS_SECONDS."""
    return sorted(
        {
            *_of_topics(),
            *(each for worker in WORKERS for each in _of_worker(worker)),
            *(each for group in GROUPS for each in resolving_permissions(DEAD_LETTERS, group, GROUPS[group])),
            *(each for group in GROUPS for each in _of_lag(group)),
        }
    )


def _of_topics() -> Iterator[Permission]:
    names = [topic.name for topic in BUSINESS_TOPICS]
    yield from _on_topics(TOPICS, names, Operation.ALTER)  # adds partitions
    names += [topic.name for group in GROUPS for topic in topics_of_group(group)]
    changes = (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS, Operation.ALTER_CONFIGS)
    yield from _on_topics(TOPICS, names, *changes)


def _of_worker(worker: Worker) -> Iterator[Permission]:
    if isinstance(worker, Consumer):
        yield from consumer_permissions(worker.principal, worker.group, worker.reads)
    yield from _on_topics(worker.principal, worker.sends, Operation.WRITE)


def consumer_permissions(user: str, group: str, topics: Sequence[str]) -> Iterator[Permission]:
    """What a consumer of these topics needs, retries and dead letters included, but not its answers."""
    yield Permission(user, ResourceKind.GROUP, group, Operation.READ)
    yield from _on_topics(user, topics, Operation.READ)
    own = {topic.name for topic in topics_of_group(group)} - {resolution_topic(group)}
    yield from _on_topics(user, own, Operation.WRITE)
    yield from _on_topics(user, own - {dead_letter_topic(group)}, Operation.READ)


def resolving_permissions(user: str, group: str, topics: Sequence[str]) -> Iterator[Permission]:
    """The permissions to see and resolve the dead letters of a group that reads these topics."""
    yield Permission(user, ResourceKind.TRANSACTIONAL_ID, resolver_transactional_id(group), Operation.WRITE)
    yield from _on_topics(user, [dead_letter_topic(group), resolution_topic(group)], Operation.READ)
    yield from _on_topics(user, [resolution_topic(group), *topics], Operation.WRITE)


def _of_lag(group: str) -> Iterator[Permission]:
    yield Permission(LAG, ResourceKind.GROUP, group, Operation.DESCRIBE)
    own = {topic.name for topic in topics_of_group(group)}
    # It reads the time of the first unread message, and counts the dead letters.
    yield from _on_topics(LAG, {*GROUPS[group], *own}, Operation.READ)


def _on_topics(user: str, names: Iterable[str], *operations: Operation) -> Iterator[Permission]:
    return (
        Permission(user, ResourceKind.TOPIC, name, operation) for name in names for operation in operations
    )
