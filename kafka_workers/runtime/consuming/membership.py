"""A consumer's membership in its group: polls batches, pauses partitions, commits offsets."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foundation.heartbeat import beat, tell_hindrances
from foundation.kill_points import kill_point
from foundation.metrics import CONSUMER_ASSIGNED_PARTITIONS, CONSUMER_REBALANCES
from kafka_workers.runtime.broker.client_config import BrokerReachability, consumer_config
from kafka_workers.runtime.broker.errors import is_missing_acl
from kafka_workers.runtime.broker.timeouts import call_within
from kafka_workers.runtime.consuming.client_report import ClientReport
from kafka_workers.runtime.consuming.held_messages import REPORT_SECONDS, HeldMessages
from kafka_workers.runtime.consuming.offsets import Offsets, Partition
from kafka_workers.runtime.consuming.polled import Polled, in_time_order, offset_of, partition_of, without
from kafka_workers.runtime.consuming.postponed import PostponedPartitions
from kafka_workers.runtime.consuming.problems import ReportedProblems
from kafka_workers.runtime.exceptions import BrokerUnavailable, MembershipEnded

POLL_SECONDS = 0.25
"""Longest wait for a message: a worker that is asked to stop notices after this time."""

QUIET_SECONDS = 0.03
"""When no message has arrived for so long, the waiting messages of all partitions are taken to be here."""

SETTLE_SECONDS = 0.3
"""Longest wait for such a pause."""

JOIN_POLL_SECONDS = 0.02
"""The same while the first partitions are awaited, or the loss of some."""

LOSS_SECONDS = 1
"""Longest wait for the client to say which partitions are lost, after it was refused a commit."""

LIST_TOPICS_SECONDS = 1
"""Longest wait for the list of topics, in a worker that has nothing else to do."""

CLOSE_SECONDS = 3
"""Longest wait for the client to leave the group."""

NOTES_SECONDS = 2
"""Longest wait for the notes that the broker keeps with the offsets."""

log = structlog.get_logger(__name__)


class GroupMembership:
    """Polls batches and commits them.

    Between `poll_batch` and `commit` the messages are in `batch`; `has_more` means that more messages may be
    waiting. `poll_ahead` polls the batch that comes after it. When a partition is revoked or lost, its
    messages leave both batches, so nothing of a lost partition is ever committed. `notes` has what other
    members wrote by `keep_note`, of partitions that were assigned since it was last emptied. `wait_for` gives
    how many seconds a message must still wait: its partition is paused for that time, and the others
    continue. `before_revoked` is called before other members get partitions of this one.
    """

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        wait_for: Callable[[Message], float],
        before_revoked: Callable[[], None],
        reachability: BrokerReachability,
    ) -> None:
        self.notes: set[str] = set()
        self._current = Polled()
        self._next: Polled | None = None
        self._buffer: list[Message] = []
        self._before_revoked = before_revoked
        self._postponed = PostponedPartitions(wait_for)
        self._is_paused = False
        self._assigned: set[Partition] = set()
        self._ended: set[Partition] = set()
        self._group = group
        self._topics = list(topics)
        self._problems = ReportedProblems(group, self._topics, self._visible_topics)
        describe_missing_acl = self._problems.describe_missing_acl
        self._offsets = Offsets(serve=self._serve_and_buffer, describe_missing_acl=describe_missing_acl)
        self._reachability = reachability
        self._held = HeldMessages(group, tell_hindrances)
        self._consumer = self._join()

    @property
    def has_partitions(self) -> bool:
        """Whether partitions are assigned."""
        return bool(self._assigned)

    def await_partitions(self, seconds: float, stop: threading.Event) -> None:
        """Wait until the first partitions are read, at most so long, or until `stop` is set."""
        end = time.monotonic() + seconds
        while not (self._buffer or stop.is_set()) and time.monotonic() < end:
            self._serve_and_buffer(JOIN_POLL_SECONDS)

    @property
    def batch(self) -> list[Message]:
        """The messages that are not committed yet; empty when all of them have gone to other members."""
        return self._current.messages

    @property
    def has_more(self) -> bool:
        """Whether more messages may be waiting."""
        return self._current.has_more

    @property
    def is_ahead(self) -> bool:
        """Whether `poll_ahead` has polled messages that `poll_batch` has not returned yet."""
        return self._next is not None and bool(self._next.messages)

    @property
    def read_to_end(self) -> set[Partition]:
        """The partitions of which everything is read and committed; none while no broker answers."""
        if self._reachability.is_lost:
            return set()
        waiting = [*self.batch, *(self._next.messages if self._next else ()), *self._buffer]
        return self._ended - {partition_of(message) for message in waiting}

    def poll_batch(self, most: int) -> list[Message]:
        """Wait shortly for a message; the batch is all that have arrived by then, up to `most`.

        After `poll_ahead` it is what that has polled, without those messages that were taken away since.
        """
        self._resume()
        uncommitted = self._current.offsets
        self._current, self._next = self._next or Polled(), None
        self._current.offsets = uncommitted | self._current.offsets
        if not self.batch:
            arrived = self._poll(most)
            self._keep_accepted(arrived, most, self._current)
            if arrived and not self.batch:
                with suppress(BrokerUnavailable):
                    self.commit()
        return self.batch

    def poll_in_time_order(self, most: int) -> list[Message]:
        """The same, of all partitions together by the times of the records.

        So a backlog is handled in the order in which it came about, whichever partition is read first.
        """
        self._resume()
        if not self._buffer and not self.batch:
            self._settle(most)
        self.poll_batch(most)
        self._current.messages = in_time_order(self.batch, self._topics)
        return self.batch

    def _take_out(self, messages: Sequence[Message]) -> dict[Partition, int]:
        """Take these last messages out of the batch; the first offset of each partition still assigned."""
        first: dict[Partition, int] = {}
        for message in messages:
            if partition_of(message) in self._assigned:
                first.setdefault(partition_of(message), offset_of(message))
        self._current.offsets |= first
        taken = set(map(id, messages))
        self._current.messages = [message for message in self.batch if id(message) not in taken]
        return first

    def _settle(self, most: int) -> None:
        """Wait for a message, then until no more arrive."""
        self._serve_and_buffer(self._poll_seconds())
        end, known = time.monotonic() + SETTLE_SECONDS, 0
        while known < len(self._buffer) < most and time.monotonic() < end:
            known = len(self._buffer)
            self._serve_and_buffer(QUIET_SECONDS)
            self._fetch(most)

    def keep_for_later(self, messages: Sequence[Message]) -> None:
        """Take these last messages out of the batch: they are not committed, and first in the next batch."""
        self._take_out(messages)
        kept = [message for message in messages if partition_of(message) in self._assigned]
        self._buffer = [*kept, *self._buffer]

    def poll_ahead(self, most: int) -> list[Message]:
        """The messages that have arrived behind the batch, up to `most`, which `poll_batch` returns next.

        Behind an error there are none: only `poll_batch` handles errors.
        """
        if self._next is None:
            self._next = Polled()
            self._fetch(most)
            if not any(message.error() for message in self._buffer[:most]):
                self._keep_accepted(self._take(most), most, self._next)
        return self._next.messages

    def commit(self) -> None:
        """Commit the batch and empty it.

        When the membership was lost or has ended, the batch is dropped, since the next member gets it.
        Raises BrokerUnavailable, and keeps the batch.
        """
        for partition, offset in self._current.offsets.items():
            self._offsets.advance(partition, offset)
        try:
            if not self._offsets.commit(self._consumer):
                self._await_loss()
        except MembershipEnded:
            log.warning("membership ended: the batch comes again to the next member")
            self._rejoin()
        self._current = Polled(has_more=self.has_more)

    def _await_loss(self) -> None:
        """Let the client say that the partitions of the batch are lost: it does so after the refused commit.

        Until then, what was polled ahead of them would be handled here and by their next member.
        """
        end = time.monotonic() + LOSS_SECONDS
        while self._assigned & self._current.offsets.keys() and time.monotonic() < end:
            self._serve_and_buffer(JOIN_POLL_SECONDS)

    def give_back(self, messages: Sequence[Message]) -> None:
        """Take these last messages out of the batch: they are not committed, and come again."""
        for partition, offset in self._take_out(messages).items():
            self._read_again(partition, offset)
            if self._next is not None:
                self._next.remove({partition})

    def keep_note(self, note: str) -> None:
        """Have the broker keep this text with the offsets of all partitions, for whoever reads them next.

        Raises nothing: a broker that does not answer within NOTES_SECONDS does not keep it.
        """
        self._offsets.note = note
        with suppress(KafkaException, TimeoutError):
            committed = self._consumer.committed(self._partitions(), timeout=NOTES_SECONDS)
            offsets = [
                TopicPartition(each.topic, each.partition, each.offset, note)
                for each in committed
                if each.offset >= 0
            ]
            if offsets:
                commit = partial(self._consumer.commit, offsets=offsets, asynchronous=False)
                call_within(NOTES_SECONDS, commit)

    def pause(self, seconds: float, stop: threading.Event) -> None:
        """Pause all partitions until the next `poll_batch` and stay a member; wait, unless `stop` is set.

        Returns early when all messages of the batch have gone to other members.
        """
        self._pause_while(lambda: bool(self.batch), seconds, stop)

    def stay_paused(self, seconds: float, stop: threading.Event) -> None:
        """The same without a batch: never returns early."""
        self._pause_while(lambda: True, seconds, stop)

    def _pause_while(self, is_wanted: Callable[[], bool], seconds: float, stop: threading.Event) -> None:
        self._is_paused = True
        self._consumer.pause(self._partitions())
        end = time.monotonic() + seconds
        while is_wanted() and not stop.is_set() and (left := end - time.monotonic()) > 0:
            self._serve_and_buffer(min(left, POLL_SECONDS))

    def _partitions(self) -> list[TopicPartition]:
        return [TopicPartition(*partition) for partition in self._assigned]

    def close(self) -> None:
        """Leave the group; messages that are not committed go to the next member."""
        # Without a broker the client waits 45 s here for an unfinished commit.
        with suppress(TimeoutError):
            call_within(CLOSE_SECONDS, self._consumer.close)

    def _join(self) -> Consumer:
        config = consumer_config(self._group, self._reachability)
        client_report = ClientReport(self._group)

        def take(statistics: str) -> None:
            self._held.report(statistics)
            client_report.take(statistics)

        reports = {"statistics.interval.ms": REPORT_SECONDS * 1000, "stats_cb": take}
        consumer = Consumer(config | reports | {"on_commit": self._offsets.on_commit})
        consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        return consumer

    def _rejoin(self) -> None:
        """Join with a new client, because a client never joins again once its group's ACL was missing."""
        self._remove(self._partitions())
        self.close()
        self._consumer = self._join()

    def _poll_seconds(self) -> float:
        return max(0.0, min(POLL_SECONDS, self._postponed.seconds_left))

    def _poll(self, most: int) -> list[Message]:
        if not self._buffer:
            self._serve_and_buffer(self._poll_seconds())
        if not self._buffer:
            self._check_broker()
            return []
        self._reachability.report_answer()
        self._fetch(most)
        return self._take(most)

    def _fetch(self, most: int) -> None:
        if (room := most - len(self._buffer)) > 0:
            # First, because a rebalance meanwhile makes another buffer.
            arrived = self._consumer.consume(room, timeout=0)
            self._buffer += arrived

    def _take(self, most: int) -> list[Message]:
        arrived, self._buffer = self._buffer[:most], self._buffer[most:]
        return arrived

    def _serve_and_buffer(self, seconds: float) -> None:
        """Serve the client for some seconds; a message that arrives is kept for the next `poll_batch`."""
        beat()
        message = self._consumer.poll(seconds)
        if message is not None:
            self._buffer.append(message)

    def _keep_accepted(self, arrived: Sequence[Message], most: int, polled: Polled) -> None:
        """Keep those of the arrived messages in `polled` that can be handled now."""
        # The end of a partition counts as an arrival, so a full poll may give a smaller batch.
        polled.has_more = len(arrived) == most
        # One by one, because a reported error may end the membership, which empties `polled`.
        for message in arrived:
            if self._accepts(message, polled):
                polled.messages.append(message)

    def _accepts(self, message: Message, polled: Polled) -> bool:
        """Whether this is a message, of a partition that is still assigned, and due."""
        error, partition = message.error(), partition_of(message)
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            self._report(error, message)
            return False
        if partition not in self._assigned or partition in self._postponed.until:
            return False
        if error is not None:
            # Records without a message, such as the end of a transaction, may precede the partition's end.
            polled.offsets[partition] = offset_of(message)
            self._ended.add(partition)
            return False
        self._ended.discard(partition)
        if seconds := self._postponed.seconds_of(message):
            self._postpone(message, seconds)
            return False
        polled.offsets[partition] = offset_of(message) + 1
        return True

    def _report(self, error: KafkaError, message: Message) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001
            if not is_missing_acl(error):
                raise KafkaException(error)
            self._rejoin()
        self._problems.report(error, message.topic())

    def _visible_topics(self) -> Collection[str]:
        return set(self._consumer.list_topics(timeout=LIST_TOPICS_SECONDS).topics)

    def _postpone(self, message: Message, seconds: float) -> None:
        """Pause the message's partition and read it again later, from this message on."""
        partition = partition_of(message)
        self._read_again(partition, offset_of(message))
        self._consumer.pause([TopicPartition(*partition)])
        self._postponed.add(message, seconds)

    def _read_again(self, partition: Partition, offset: int) -> None:
        """Read this partition from this message on once more."""
        self._consumer.seek(TopicPartition(*partition, offset))
        self._ended.discard(partition)
        self._buffer = without(self._buffer, {partition})

    def _resume(self) -> None:
        due = self._postponed.take_due()
        if self._is_paused:
            self._is_paused = False
            due = self._assigned - self._postponed.until.keys()
        if due:
            self._consumer.resume([TopicPartition(*partition) for partition in due])

    def _check_broker(self) -> None:
        if self._reachability.is_lost:
            with suppress(KafkaException):
                self._consumer.list_topics(timeout=POLL_SECONDS)
                self._reachability.report_answer()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._reachability.report_answer()
        self._problems.forget()
        self._assigned |= {(each.topic, each.partition) for each in partitions}
        self._count_assigned()
        consumer.incremental_assign(partitions)
        # The client remembers that a partition was paused, even while another member has it.
        (consumer.pause if self._is_paused else consumer.resume)(partitions)
        self._read_notes(consumer, partitions)
        log.info("partitions assigned", partitions=_names(partitions))

    def _read_notes(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        with suppress(KafkaException):
            found = consumer.committed(partitions, timeout=NOTES_SECONDS)
            self.notes |= {each.metadata for each in found if each.metadata}

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        kill_point("in-rebalance")
        self._before_revoked()
        self._remove(partitions)
        log.info("partitions revoked", partitions=_names(partitions))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._remove(partitions)
        log.warning("partitions lost: another member has them", partitions=_names(partitions))

    def _remove(self, partitions: Iterable[TopicPartition]) -> None:
        gone = {(each.topic, each.partition) for each in partitions}
        self._assigned -= gone
        self._count_assigned()
        self._ended -= gone
        self._offsets.remove(gone)
        self._postponed.remove(gone)
        for polled in filter(None, (self._current, self._next)):
            polled.remove(gone)
        self._buffer = without(self._buffer, gone)

    def _count_assigned(self) -> None:
        CONSUMER_REBALANCES.labels(self._group).inc()
        CONSUMER_ASSIGNED_PARTITIONS.labels(self._group).set(len(self._assigned))


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{each.topic}/{each.partition}" for each in partitions)
