"""A consumer's membership in its group: what is in hand, what waits, what may be committed."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foundation.kill_points import kill_point
from kafka_workers.runtime.broker.client_config import Connection, consumer_config
from kafka_workers.runtime.broker.denial import code_of, denial, is_denial
from kafka_workers.runtime.broker.timeouts import call_within
from kafka_workers.runtime.consuming.offsets import Offsets, Partition
from kafka_workers.runtime.exceptions import BrokerUnavailable, MembershipEnded

POLL_SECONDS = 0.25
"""Longest wait for a message: a worker asked to stop notices after this time."""

LOOK_SECONDS = 1
"""Longest wait for the list of topics, in a worker that has nothing else to do."""

CLOSE_SECONDS = 3
"""Longest wait for the group's good-bye."""

log = structlog.get_logger(__name__)


def partition_of(message: Message) -> Partition:
    return str(message.topic()), int(message.partition() or 0)


def offset_of(message: Message) -> int:
    return int(message.offset() or 0)


class Subscription:
    """Takes batches and commits them.

    Between `take` and `commit` the batch is `in_hand`; `has_more` says that others may wait behind it. A
    partition that goes to another member takes its messages out of it, so that nothing of a lost partition is
    ever committed. `wait_for` says how many seconds a message has to wait still: its partition then pauses,
    and the others go on.
    """

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        wait_for: Callable[[Message], float],
        connection: Connection,
    ) -> None:
        self.in_hand: list[Message] = []
        self.has_more = False
        self._waiting: list[Message] = []
        self._wait_for = wait_for
        self._due: dict[Partition, float] = {}
        self._is_held = False
        self._assigned: set[Partition] = set()
        self._told: set[tuple[int, str]] = set()
        self._group = group
        self._topics = list(topics)
        self._offsets = Offsets(serve=self._set_by, explain=self._explain)
        self._connection = connection
        self._consumer = self._join()

    def take(self, most: int) -> list[Message]:
        """Wait shortly for a message and take it in hand with whatever else has arrived, `most` in all."""
        self._resume()
        arrived = self._poll(most)
        # The ends of partitions arrive as messages and are none, so a full batch may hold fewer.
        self.has_more = len(arrived) == most
        self.in_hand = [message for message in arrived if self._accepts(message)]
        if arrived and not self.in_hand:
            with suppress(BrokerUnavailable):
                self.commit()
        return self.in_hand

    def commit(self) -> None:
        """Commit what is in hand and let go of it.

        Where the membership was lost or ended meanwhile it is dropped, since the next member has it. Raises
        BrokerUnavailable, with the batch still in hand.
        """
        try:
            self._offsets.commit(self._consumer)
        except MembershipEnded:
            log.warning("membership ended: the batch comes again to the next member")
            self._rejoin()
        self.in_hand = []

    def hold(self, seconds: float, stop: threading.Event) -> None:
        """Keep the membership but take nothing, until the next `take`; ends early with nothing in hand."""
        self._is_held = True
        self._consumer.pause([TopicPartition(*partition) for partition in self._assigned])
        end = time.monotonic() + seconds
        while self.in_hand and not stop.is_set() and (left := end - time.monotonic()) > 0:
            self._set_by(min(left, POLL_SECONDS))

    def close(self) -> None:
        """Leave the group; what is in hand goes to the next member."""
        # Without a broker the client waits 45 s here for a commit that is under way.
        with suppress(TimeoutError):
            call_within(CLOSE_SECONDS, self._consumer.close)

    def _join(self) -> Consumer:
        config = consumer_config(self._group, self._connection)
        consumer = Consumer(config | {"on_commit": self._offsets.answered})
        consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        return consumer

    def _rejoin(self) -> None:
        """Become another member, since the client gives up for good when the group's ACL is taken away."""
        self._let_go([TopicPartition(*partition) for partition in self._assigned])
        self.close()
        self._consumer = self._join()

    def _patience(self) -> float:
        soonest = min(self._due.values(), default=math.inf) - time.monotonic()
        return max(0.0, min(POLL_SECONDS, soonest))

    def _poll(self, most: int) -> list[Message]:
        if not self._waiting:
            self._set_by(self._patience())
        if not self._waiting:
            self._look_for_broker()
            return []
        self._connection.works()
        if (room := most - len(self._waiting)) > 0:
            behind = self._consumer.consume(room, timeout=0)
            self._waiting += behind
        arrived, self._waiting = self._waiting[:most], self._waiting[most:]
        return arrived

    def _set_by(self, seconds: float) -> None:
        """Serve the client for a while, and keep the message that may come out for the next `take`."""
        message = self._consumer.poll(seconds)
        if message is not None:
            self._waiting.append(message)

    def _accepts(self, message: Message) -> bool:
        """Whether this is a message, of a partition that is still ours, and due."""
        error, partition = message.error(), partition_of(message)
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            self._report(error, message)
            return False
        if partition not in self._assigned or partition in self._due:
            return False
        if error is not None:
            # The end may lie behind records that are no messages: those that mark the end of a transaction.
            self._offsets.passed(partition, offset_of(message))
            return False
        wait = self._wait_for(message)
        if wait > 0:
            self._postpone(message, wait)
            return False
        self._offsets.passed(partition, offset_of(message) + 1)
        return True

    def _report(self, error: KafkaError, message: Message) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001
            if not is_denial(error):
                raise KafkaException(error)
            self._rejoin()
        told = (code_of(error), str(message.topic()))
        if told not in self._told:
            self._told.add(told)
            reason = self._explain(error, message.topic()) if is_denial(error) else error.str()
            log.warning("Kafka reports a problem: waiting", topic=message.topic(), error=reason)

    def _explain(self, error: KafkaError, topic: str | None = None) -> str:
        """The sentence about a denial, which tells of its topic only where it comes with one."""
        if code_of(error) == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return denial(error, "READ", self._group)
        return denial(error, "READ", topic or ", ".join(self._topics_out_of_sight()))

    def _topics_out_of_sight(self) -> list[str]:
        """The topics that we may not even describe: the group's answer does not say which ones they are."""
        visible: Iterable[str] = ()
        with suppress(KafkaException):
            visible = self._consumer.list_topics(timeout=LOOK_SECONDS).topics
        return [topic for topic in self._topics if topic not in visible] or self._topics

    def _postpone(self, message: Message, seconds: float) -> None:
        """Put a message back and read on from it later; those behind it come again as well."""
        partition = partition_of(message)
        self._consumer.seek(TopicPartition(*partition, offset_of(message)))
        self._consumer.pause([TopicPartition(*partition)])
        self._due[partition] = time.monotonic() + seconds
        self._waiting = [each for each in self._waiting if partition_of(each) != partition]

    def _resume(self) -> None:
        now = time.monotonic()
        due = {partition for partition, time_due in self._due.items() if time_due <= now}
        for partition in due:
            del self._due[partition]
        if self._is_held:
            self._is_held = False
            due = self._assigned - self._due.keys()
        if due:
            self._consumer.resume([TopicPartition(*partition) for partition in due])

    def _look_for_broker(self) -> None:
        if self._connection.is_lost:
            with suppress(KafkaException):
                self._consumer.list_topics(timeout=POLL_SECONDS)
                self._connection.works()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._connection.works()
        self._told.clear()
        self._assigned |= {(each.topic, each.partition) for each in partitions}
        consumer.incremental_assign(partitions)
        # The client remembers a pause while a partition is another member's.
        (consumer.pause if self._is_held else consumer.resume)(partitions)
        log.info("partitions assigned", partitions=_names(partitions))

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        kill_point("in-rebalance")
        self._let_go(partitions)
        log.info("partitions revoked", partitions=_names(partitions))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._let_go(partitions)
        log.warning("partitions lost: another member has them", partitions=_names(partitions))

    def _let_go(self, partitions: Iterable[TopicPartition]) -> None:
        gone = {(each.topic, each.partition) for each in partitions}
        self._assigned -= gone
        self._offsets.forget(gone)
        self._due = {partition: due for partition, due in self._due.items() if partition not in gone}
        self.in_hand = [message for message in self.in_hand if partition_of(message) not in gone]
        self._waiting = [message for message in self._waiting if partition_of(message) not in gone]


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{each.topic}/{each.partition}" for each in partitions)
