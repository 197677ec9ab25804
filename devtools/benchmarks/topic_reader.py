"""A plain consumer that notes when it read messages, and the raw way of a message to it."""

import time
import uuid
from functools import partial
from typing import Self

from confluent_kafka import Consumer, Producer, TopicPartition

from devtools.benchmarks.background import Background
from devtools.benchmarks.figures import MeasurementFailed
from devtools.benchmarks.kafka_client import NO_CLIENT_LOG
from devtools.benchmarks.raw_kafka import RawKafka
from devtools.benchmarks.topics import Topics
from devtools.benchmarks.waiting import wait_until


class TopicReader(Background):
    """A plain consumer of new messages of a topic; `read` has the time of the first message of each key."""

    def __init__(self, brokers: str, topic: str) -> None:
        super().__init__()
        self.read: dict[str, float] = {}
        self._consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench-reads", **NO_CLIENT_LOG})
        ends = Topics(brokers).partition_ends(topic)
        self._consumer.assign([TopicPartition(topic, each, end) for each, end in enumerate(ends)])

    def __enter__(self) -> Self:
        # Until it has fetched once, a message would wait for the connection.
        self._consumer.poll(1.0)
        return super().__enter__()

    def run(self) -> None:
        """Reads until the measurement ends."""
        while not self.stopped.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and not message.error():
                self.read.setdefault((message.key() or b"").decode(), time.monotonic())
        self._consumer.close()


def raw_latencies(brokers: str, value: bytes, *, count: int, rate: float) -> list[float]:
    """Seconds from `produce` until a plain consumer has read the message, one message at a time."""
    topic = RawKafka(brokers).new_topic()
    wait_until(partial(Topics(brokers).has_leaders, topic), "the new topic has leaders")
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 0,
            **NO_CLIENT_LOG,
        }
    )
    sent: dict[str, float] = {}
    with TopicReader(brokers, topic) as reader:
        start = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            key = uuid.uuid4().hex
            sent[key] = time.monotonic()
            producer.produce(topic, value, key)
            producer.poll(0)
        if producer.flush(10):
            raise MeasurementFailed(f"{topic} did not acknowledge every message")
        wait_until(lambda: sent.keys() <= reader.read.keys(), "every message is read")
        return [reader.read[key] - moment for key, moment in sent.items()]
