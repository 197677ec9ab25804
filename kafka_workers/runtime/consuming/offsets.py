"""The offset commits of a group member."""

import time
from collections.abc import Callable, Iterable

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kafka_workers.runtime.broker.errors import is_missing_acl
from kafka_workers.runtime.exceptions import AccessDenied, BrokerUnavailable, MembershipEnded

COMMIT_SECONDS = 4
"""How long the broker has to answer; the client's own timeout is 45 s."""

_POLL_SECONDS = 0.001
_LOST_MEMBERSHIP = {
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_MEMBER_EPOCH,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001
}

Partition = tuple[str, int]
OffsetOfPartition = dict[Partition, int]

log = structlog.get_logger(__name__)


class Offsets:
    """The offsets to commit next, and the committed ones.

    `serve` serves the client for some seconds; meanwhile the client calls `on_commit` and the rebalance
    callbacks. `describe_missing_acl` gives the sentence about a missing ACL.
    """

    def __init__(
        self, serve: Callable[[float], None], describe_missing_acl: Callable[[KafkaError], str]
    ) -> None:
        self._serve = serve
        self._describe_missing_acl = describe_missing_acl
        self._next: OffsetOfPartition = {}
        self._committed: OffsetOfPartition = {}
        self._requested: OffsetOfPartition = {}
        self._answer: list[KafkaError | None] = []
        self.note = ""
        """A text that the broker keeps with each offset committed from now on."""

    def advance(self, partition: Partition, offset: int) -> None:
        """The next commit includes everything in this partition before this offset."""
        self._next[partition] = offset

    def remove(self, partitions: Iterable[Partition]) -> None:
        """Commit nothing of these partitions: another member has them now."""
        for partition in partitions:
            self._next.pop(partition, None)
            self._committed.pop(partition, None)

    def commit(self, consumer: Consumer) -> bool:
        """Commit the offsets to which `advance` has moved.

        False when the membership is lost: that is logged and nothing is committed, since the next member
        handles the messages again. Raises BrokerUnavailable: then the offsets are still to be committed.
        Raises MembershipEnded when this client can never commit again.
        """
        new = {
            partition: offset
            for partition, offset in self._next.items()
            if self._committed.get(partition) != offset
        }
        error = self._commit_and_wait(consumer, new) if new else None
        if error is None:
            self._committed |= self._next
        elif error.code() in _LOST_MEMBERSHIP:
            log.warning("membership lost: the batch is dropped, its next owner has it", error=error.str())
        elif error.code() == KafkaError._FATAL:  # noqa: SLF001
            raise MembershipEnded
        elif is_missing_acl(error):
            raise AccessDenied(self._describe_missing_acl(error))
        else:
            raise BrokerUnavailable(f"the offsets were not committed: {error.str()}")
        self._next = {}
        return error is None

    def on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The client's callback for a commit; a late answer to an abandoned commit is ignored."""
        if {(each.topic, each.partition): each.offset for each in partitions} == self._requested:
            self._answer = [error, *(each.error for each in partitions)]

    def _commit_and_wait(self, consumer: Consumer, new: OffsetOfPartition) -> KafkaError | None:
        self._requested, self._answer = new, []
        try:
            consumer.commit(
                offsets=[TopicPartition(*partition, offset, self.note) for partition, offset in new.items()]
            )
        except KafkaException as exception:
            return exception.args[0]  # type: ignore[no-any-return]
        end = time.monotonic() + COMMIT_SECONDS
        while not self._answer:
            if time.monotonic() > end:
                raise BrokerUnavailable(f"the offsets were not committed within {COMMIT_SECONDS} s")
            self._serve(_POLL_SECONDS)
        return next((error for error in self._answer if error), None)
