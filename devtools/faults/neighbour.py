"""A neighbour on the broker who is no help: sends what was sent before, and releases before reserves."""

import json
import uuid
from collections import deque
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from devtools.driver.kafka import Record, as_record
from devtools.faults.actor import Actor
from devtools.faults.broker import QUIET, Offsets
from devtools.faults.journal import Journal
from kafka_workers.workers import INVENTORY

RESERVE, RELEASE = INVENTORY.reads
_REMEMBERED = 200
_INVALID = (b"{broken", b"{}", b'{"orderId": 7}')
_CLOUD_EVENT = {
    "ce_specversion": "1.0",
    "ce_source": "/neighbour",
    "ce_time": "2026-01-01T12:00:00Z",
    "content-type": "application/json",
}


class Neighbour(Actor):
    """Reads the requests that go by, sends some of them again later, and makes trouble of its own.

    What it sent is read off the topics afterwards: with the broker away nobody knows at once.
    """

    def __init__(self, name: str, journal: Journal, seed: int, brokers: str, start: Offsets) -> None:
        super().__init__(name, journal, seed)
        self._products = list(journal.received)
        self._number = 0
        self._past: deque[Record] = deque(maxlen=_REMEMBERED)
        self._producer = Producer({"bootstrap.servers": brokers, "acks": "all", "linger.ms": 1, **QUIET})
        self._reader = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": f"neighbour-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                **QUIET,
            }
        )
        self._reader.assign([TopicPartition(*place, end) for place, end in start.items()])
        self._tricks: list[Callable[[], None]] = [
            self._repeat_what_was_sent,
            self._repeat_what_was_sent,
            self._release_before_reserve,
            self._reserve_and_perhaps_release,
        ]

    def act(self) -> None:
        """One trick; once in a while a message that means nothing."""
        for message in self._reader.consume(100, timeout=0):
            if message.error() is None and message.value():
                self._past.append(as_record(message))
        self.rng.choice(self._tricks)()
        if self.rng.random() < 0.03:
            self._send_nonsense()
        self._producer.poll(0)
        self.rest(0.01, 0.06)

    def finish(self) -> None:
        """Nothing of its own stays under way."""
        self._reader.close()
        if self._producer.flush(60):
            self.journal.complaints.append(f"{self.name}: the broker took no more messages")

    def _repeat_what_was_sent(self) -> None:
        """Of our orders mostly; in no order, and often without the headers."""
        if self._past:
            record = self.rng.choice(self._past)
            for _ in range(self.rng.randint(1, 3)):
                headers = record.headers if self.rng.random() < 0.5 else {}
                self._send(record.topic, record.key, record.value, headers)

    def _release_before_reserve(self) -> None:
        order_id = self._new_order()
        items = self._items()
        self._request(RELEASE, order_id, items)
        self._request(RESERVE, order_id, items)

    def _reserve_and_perhaps_release(self) -> None:
        order_id = self._new_order()
        items = self._items()
        self._request(RESERVE, order_id, items)
        if self.rng.random() < 0.5:
            self._request(RELEASE, order_id, items)

    def _send_nonsense(self) -> None:
        order_id = self._new_order()
        self.journal.invalid_keys.add(order_id)
        self._send(RESERVE, order_id, self.rng.choice(_INVALID), {})

    def _new_order(self) -> str:
        self._number += 1
        return f"{self.journal.run}-{self.name}-{self._number}"

    def _items(self) -> list[dict[str, object]]:
        return [
            {
                "productId": product,
                "productName": "Lantern",
                "quantity": self.rng.randint(1, 3),
                "price": "10.00",
            }
            for product in self.rng.sample(self._products, self.rng.randint(1, 2))
        ]

    def _request(self, topic: str, order_id: str, items: list[dict[str, object]]) -> None:
        value = {
            "orderId": order_id,
            "orderNumber": "N-1",
            "reason": "a whim",
            "items": items,
            "timestamp": "2026-01-01T12:00:00Z",
        }
        identity = {"ce_id": f"{order_id}:{topic}", "ce_type": topic, "ce_subject": order_id}
        headers = {**_CLOUD_EVENT, **identity} if self.rng.random() < 0.5 else {}
        self._send(topic, order_id, json.dumps(value).encode(), headers)

    def _send(self, topic: str, key: str, value: bytes, headers: dict[str, str]) -> None:
        """Hand it over; where the topics are still to be made there is nobody to hand it to."""
        try:
            self._producer.produce(topic, key=key, value=value, headers=list(headers.items()))
        except KafkaException as exception:
            if exception.args[0].code() != KafkaError._UNKNOWN_TOPIC:
                raise
