"""The raw client of Kafka: an idempotent producer, acks=all, that sends prepared messages."""

import time
import uuid
from collections.abc import Iterable

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from devtools.benchmarks.figures import MeasurementFailed
from devtools.benchmarks.kafka_client import NO_CLIENT_LOG

_SECONDS = 30.0
Prepared = tuple[str, bytes, list[tuple[str, str | bytes | None]]]


class RawKafka:
    """Sends messages to one broker and waits until it has acknowledged all."""

    def __init__(self, brokers: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": brokers, **NO_CLIENT_LOG})
        self._producer = Producer(
            {
                "bootstrap.servers": brokers,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 1,
                "queue.buffering.max.messages": 1_000_000,
                **NO_CLIENT_LOG,
            }
        )
        self._failures: list[str] = []

    def new_topic(self, partitions: int = 3) -> str:
        """Creates a topic that no other client uses, with as many replicas as the brokers' default."""
        name = f"raw-{uuid.uuid4().hex}"
        [future] = self._admin.create_topics([NewTopic(name, partitions, -1)]).values()
        future.result()
        return name

    def send(self, topic: str, messages: Iterable[Prepared]) -> float:
        """Sends (key, value, headers); returns the seconds. Raises MeasurementFailed if one is rejected."""
        started = time.monotonic()
        for key, value, headers in messages:
            self._send(topic, key, value, headers)
        if self._producer.flush(_SECONDS) or self._failures:
            raise MeasurementFailed(f"{topic} did not acknowledge every message: {self._failures[:1]}")
        return time.monotonic() - started

    def _send(
        self, topic: str, key: str, value: bytes, headers: list[tuple[str, str | bytes | None]]
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=self._note)
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def _note(self, error: KafkaError | None, _: Message | None) -> None:
        if error is not None:
            self._failures.append(error.str())
