"""A plain Kafka producer and consumer, as an external service has them, without code of the workers."""

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from devtools.driver.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Record:
    """One message as the broker stores it."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: dict[str, str]

    def json(self) -> dict[str, object]:
        value: dict[str, object] = msgspec.json.decode(self.value)
        return value


def as_text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def as_record(message: Message) -> Record:
    headers = {name: as_text(value) for name, value in dict(message.headers() or {}).items()}
    return Record(
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
        as_text(message.key()),
        message.value() or b"",
        headers,
    )


class KafkaClient:
    """Sends and reads messages on one broker."""

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers
        # As the producers of the system: all messages of an order are in one partition, in their order.
        options = {"bootstrap.servers": brokers, "acks": "all", "partitioner": "murmur2_random"}
        self.producer = Producer(options)

    def send(self, topic: str, key: str, value: bytes, headers: dict[str, str] | None = None) -> None:
        """Sends one message and waits until the broker has acknowledged it."""
        failures: list[object] = []
        self.producer.produce(
            topic,
            key=key,
            value=value,
            headers=[(name, text.encode()) for name, text in (headers or {}).items()],
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        assert self.producer.flush(15) == 0, f"{topic} acknowledged no message within 15 s"
        assert failures == []

    def close(self) -> None:
        """Closes the producer: one that outlives its broker logs every attempt to reconnect."""
        self.producer.close()

    def read(
        self, topics: Iterable[str], enough: Callable[[list[Record]], bool], seconds: float = PATIENCE_SECONDS
    ) -> list[Record]:
        """Reads the topics from their start until `enough` is true of the messages; fails after `seconds`."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        try:
            consumer.assign(
                [
                    TopicPartition(topic, number, OFFSET_BEGINNING)
                    for topic in topics
                    for number in self._partitions(topic)
                ]
            )
            records: list[Record] = []
            end = time.monotonic() + seconds
            while not enough(records):
                assert time.monotonic() < end, f"not enough within {seconds} s: {records[-5:]}"
                message = consumer.poll(0.1)
                if message is not None and message.error() is None:
                    records.append(as_record(message))
            return records
        finally:
            consumer.close()

    def of_order(
        self, order_id: str, *topics: str, count: int = 1, seconds: float = PATIENCE_SECONDS
    ) -> list[Record]:
        """Reads the topics until they have `count` messages with this order's key; returns those."""

        def enough(records: list[Record]) -> bool:
            return sum(record.key == order_id for record in records) >= count

        return [record for record in self.read(topics, enough, seconds) if record.key == order_id]

    def _partitions(self, topic: str) -> list[int]:
        return list(self.producer.list_topics(topic, timeout=10).topics[topic].partitions)
