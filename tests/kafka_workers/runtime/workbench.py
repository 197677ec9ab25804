"""A group with topics of its own on the real broker, and workers in threads that consume whole numbers."""

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.patience import PATIENCE_SECONDS
from devtools.driver.shop import eventually
from kafka_workers.runtime.broker.client_config import reader_config
from kafka_workers.runtime.broker.topics import Topic, create_topics, topics_of_group
from kafka_workers.runtime.consuming.consumer_loop import run
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage, HandleEach
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage

Handle = Callable[[Sequence[DecodedMessage[int]]], Iterable[OutgoingMessage]]


def decode_number(received: ReceivedMessage) -> int:
    """Decodes a whole number. Raises InvalidMessage for any other value."""
    try:
        return msgspec.json.decode(received.value, type=int)
    except msgspec.DecodeError as error:
        raise InvalidMessage(str(error)) from error


class Worker:
    """One consumer in a thread of its own."""

    def __init__(self, definition: ConsumerDefinition[int]) -> None:
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=[definition], daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def end(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Stops the worker as SIGTERM does."""
        self.stop.set()
        self._thread.join(seconds)
        assert not self.is_alive, f"the worker did not end within {seconds} s"

    def _run(self, definition: ConsumerDefinition[int]) -> None:
        try:
            run(definition, self.stop)
        except Exception as error:
            self.error = error


@dataclass
class Bench:
    """A group with its topics and workers; `handled` has the messages that its workers handled, in order."""

    kafka_client: KafkaClient
    group: str = field(default_factory=lambda: f"bench-{uuid.uuid4().hex[:12]}")
    handled: list[DecodedMessage[int]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)

    @property
    def topic(self) -> str:
        return f"{self.group}.numbers"

    @property
    def answer_topic(self) -> str:
        return f"{self.group}.answers"

    @property
    def numbers(self) -> list[int]:
        return [decoded.value for decoded in self.handled]

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The bench's group as an entry of the table of groups."""
        return {self.group: (self.topic,)}

    def create_topics(self, partitions: int = 3) -> None:
        create_topics(
            [
                *(
                    Topic(name=name, partitions=partitions, replication=1, retention=timedelta(days=1))
                    for name in (self.topic, self.answer_topic)
                ),
                *topics_of_group(self.group),
            ]
        )
        wanted = [self.topic, self.answer_topic, *(topic.name for topic in topics_of_group(self.group))]
        eventually(lambda: self._ends(*wanted), "the topics have leaders")

    def send(self, *values: object, headers: dict[str, str] | None = None) -> None:
        """Sends values: bytes unchanged, any other value as JSON; the key is the value."""
        for value in values:
            raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
            self.kafka_client.send(self.topic, str(value), raw, headers)

    def handle(self, batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        """A handler that only records its messages."""
        self.batches.append(len(batch))
        self.handled += batch
        return []

    def start(self, handle: Handle | None = None, batch_size: int = 500, time_budget: float = 1.0) -> Worker:
        worker = Worker(
            ConsumerDefinition(
                group=self.group,
                topics=[self.topic],
                decode=decode_number,
                handle=handle or self.handle,
                batch_size=batch_size,
                time_budget=time_budget,
            )
        )
        self.workers.append(worker)
        return worker

    def start_one_by_one(
        self,
        handle_each: HandleEach[int],
        time_budget: float = 1.0,
        beside: Sequence[Callable[[threading.Event], None]] = (),
        finish: Callable[[], None] = lambda: None,
    ) -> Worker:
        """A worker that handles its messages one by one."""
        worker = Worker(
            ConsumerDefinition(
                group=self.group,
                topics=[self.topic],
                decode=decode_number,
                handle_each=handle_each,
                time_budget=time_budget,
                beside=beside,
                finish=finish,
            )
        )
        self.workers.append(worker)
        return worker

    def dead_letters(self, count: int) -> list[Record]:
        """Waits for this many dead letters; returns them."""
        return self.kafka_client.read([f"{self.group}.dlq"], lambda records: len(records) >= count)

    def lag(self) -> int:
        """How many messages of the bench's topic are not committed."""
        partitions = eventually(lambda: self._ends(self.topic), "the end offsets of the topics")
        committed = self._reader.committed([TopicPartition(*place) for place in partitions], timeout=15)
        return sum(partitions[each.topic, each.partition] - max(0, each.offset) for each in committed)

    def count(self, *topics: str) -> int:
        """How many messages these topics have."""
        return sum(eventually(lambda: self._ends(*topics), "the end offsets of the topics").values())

    def wait_until_handled(self, *numbers: int) -> None:
        eventually(lambda: set(numbers) <= set(self.numbers), f"{numbers} handled")

    def wait_until_committed(self) -> None:
        eventually(self.is_committed, "everything committed")

    def is_committed(self) -> bool:
        """Whether the broker reports it; a broker that has just restarted may not know it yet."""
        with suppress(KafkaException):
            return self.lag() == 0
        return False

    def close(self) -> None:
        for worker in self.workers:
            worker.end()
        self._reader.close()
        self.kafka_client.close()

    @cached_property
    def _reader(self) -> Consumer:
        return Consumer(reader_config(self.group))

    def _ends(self, *topics: str) -> dict[tuple[str, int], int]:
        """The end of each partition; empty for a moment after a topic's creation or a broker's start."""
        try:
            names = self._reader.list_topics(timeout=15).topics
            places = [(topic, partition) for topic in topics for partition in names[topic].partitions]
            return {
                place: self._reader.get_watermark_offsets(TopicPartition(*place), timeout=15)[1]
                for place in places
            }
        except (KafkaException, KeyError):
            return {}
