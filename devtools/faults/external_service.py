"""A faulty external service on the broker: repeats earlier requests, and sends releases before reserves."""

import json
import uuid
from collections import deque
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from devtools.driver.kafka import Record, as_record
from devtools.faults.broker import NO_CLIENT_LOG, Offsets
from devtools.faults.client import Client
from devtools.faults.observations import Observations
from kafka_workers.workers import INVENTORY

RESERVE, RELEASE = INVENTORY.reads
_REMEMBERED = 200
_INVALID = (b"{broken", b"{}", b'{"orderId": 7}')
_CLOUD_EVENT = {
    "ce_specversion": "1.0",
    "ce_source": "/external-service",
    "ce_time": "2026-01-01T12:00:00Z",
    "content-type": "application/json",
}


class ExternalService(Client):
    """Reads the requests on the topics, repeats some of them later, and sends requests of its own.

    The laws read its requests from the topics afterwards: during an outage of the broker it cannot tell which
    of them were stored.
    """

    def __init__(
        self, name: str, observations: Observations, seed: int, brokers: str, start: Offsets
    ) -> None:
        super().__init__(name, observations, seed)
        self._products = list(observations.received)
        self._number = 0
        self._earlier: deque[Record] = deque(maxlen=_REMEMBERED)
        self._producer = Producer(
            {"bootstrap.servers": brokers, "acks": "all", "linger.ms": 1, **NO_CLIENT_LOG}
        )
        self._reader = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": f"external-service-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                **NO_CLIENT_LOG,
            }
        )
        self._reader.assign([TopicPartition(*place, end) for place, end in start.items()])
        self._actions: list[Callable[[], None]] = [
            self._repeat_earlier_request,
            self._repeat_earlier_request,
            self._release_before_reserve,
            self._reserve_and_perhaps_release,
        ]

    def act(self) -> None:
        """One action; now and then an invalid message too."""
        for message in self._reader.consume(100, timeout=0):
            if message.error() is None and message.value():
                self._earlier.append(as_record(message))
        self.rng.choice(self._actions)()
        if self.rng.random() < 0.03:
            self._send_invalid_message()
        self._producer.poll(0)
        self.pause(0.01, 0.06)

    def finish(self) -> None:
        """Waits until the broker has acknowledged every message."""
        self._reader.close()
        if self._producer.flush(60):
            self.observations.unexpected.append(f"{self.name}: the broker did not acknowledge every message")

    def _repeat_earlier_request(self) -> None:
        """Mostly of orders that customers placed; out of order, and often without the headers."""
        if self._earlier:
            record = self.rng.choice(self._earlier)
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

    def _send_invalid_message(self) -> None:
        order_id = self._new_order()
        self.observations.invalid_keys.add(order_id)
        self._send(RESERVE, order_id, self.rng.choice(_INVALID), {})

    def _new_order(self) -> str:
        self._number += 1
        return f"{self.observations.run}-{self.name}-{self._number}"

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
            "reason": "changed plans",
            "items": items,
            "timestamp": "2026-01-01T12:00:00Z",
        }
        identity = {"ce_id": f"{order_id}:{topic}", "ce_type": topic, "ce_subject": order_id}
        headers = {**_CLOUD_EVENT, **identity} if self.rng.random() < 0.5 else {}
        self._send(topic, order_id, json.dumps(value).encode(), headers)

    def _send(self, topic: str, key: str, value: bytes, headers: dict[str, str]) -> None:
        """Sends a message; drops it while the topics do not exist yet."""
        try:
            self._producer.produce(topic, key=key, value=value, headers=list(headers.items()))
        except KafkaException as exception:
            if exception.args[0].code() != KafkaError._UNKNOWN_TOPIC:
                raise
