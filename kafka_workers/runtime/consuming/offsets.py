"""How far a consumer has come in each partition, and telling the broker."""

import time
from collections.abc import Callable, Iterable

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kafka_workers.runtime.broker.denial import is_denial
from kafka_workers.runtime.exceptions import AccessDenied, BrokerUnavailable, MembershipEnded

COMMIT_SECONDS = 4
"""How long the broker has to answer; without a broker the client's own wait would take 45 s."""

_SERVE_SECONDS = 0.001
_LOST_MEMBERSHIP = {
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_MEMBER_EPOCH,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001
}

Partition = tuple[str, int]
Places = dict[Partition, int]

log = structlog.get_logger(__name__)


class Offsets:
    """What has been passed since the last commit, and what is committed.

    `serve` lets the client work for some seconds, in which it calls `answered` and the rebalance callbacks.
    `explain` gives the sentence about an ACL that is missing.
    """

    def __init__(self, serve: Callable[[float], None], explain: Callable[[KafkaError], str]) -> None:
        self._serve = serve
        self._explain = explain
        self._passed: Places = {}
        self._committed: Places = {}
        self._requested: Places = {}
        self._answer: list[KafkaError | None] = []

    def passed(self, partition: Partition, offset: int) -> None:
        """Everything before this offset is done with, or is in hand until the next commit."""
        self._passed[partition] = offset

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These partitions are another member's now: nothing of them is to be committed."""
        for partition in partitions:
            self._passed.pop(partition, None)
            self._committed.pop(partition, None)

    def commit(self, consumer: Consumer) -> None:
        """Commit what has been passed.

        Where the membership is lost, that is logged and let be, since the next member has it already. Raises
        BrokerUnavailable, and then all of it is still to be committed; MembershipEnded where this client
        never will.
        """
        new = {
            place: offset for place, offset in self._passed.items() if self._committed.get(place) != offset
        }
        error = self._ask(consumer, new) if new else None
        if error is None:
            self._committed |= self._passed
        elif error.code() in _LOST_MEMBERSHIP:
            log.warning("membership lost: the batch is dropped, its next owner has it", error=error.str())
        elif error.code() == KafkaError._FATAL:  # noqa: SLF001
            raise MembershipEnded
        elif is_denial(error):
            raise AccessDenied(self._explain(error))
        else:
            raise BrokerUnavailable(f"the offsets were not committed: {error.str()}")
        self._passed = {}

    def answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The broker's answer to a commit; one that was given up may be answered late, and does not count."""
        if {(each.topic, each.partition): each.offset for each in partitions} == self._requested:
            self._answer = [error, *(each.error for each in partitions)]

    def _ask(self, consumer: Consumer, new: Places) -> KafkaError | None:
        self._requested, self._answer = new, []
        try:
            consumer.commit(offsets=[TopicPartition(*place, offset) for place, offset in new.items()])
        except KafkaException as exception:
            return exception.args[0]  # type: ignore[no-any-return]
        end = time.monotonic() + COMMIT_SECONDS
        while not self._answer:
            if time.monotonic() > end:
                raise BrokerUnavailable(f"the offsets were not committed within {COMMIT_SECONDS} s")
            self._serve(_SERVE_SECONDS)
        return next((error for error in self._answer if error), None)
