"""Any message of an external service is read or raises InvalidMessage, and no other exception."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import TIMESTAMP_CREATE_TIME, Message
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kafka_workers.consumers import inventory, orders
from kafka_workers.runtime.consuming.definition import ConsumerDefinition
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.failure import REASON_LIMIT, Failure
from kafka_workers.runtime.messages.message import ReceivedMessage, receive
from kafka_workers.runtime.messages.record import headers_of
from products_app.services.stock.service import Release, Reserve
from tests.kafka_workers.consumers.test_inventory_consumer import received, release, reserve

PAYMENT: dict[str, Any] = {
    "orderId": "o",
    "userId": "7",
    "orderNumber": "SB-7K3M-Q9ZT",
    "amount": 1,
    "currency": "USD",
    "attempt": 1,
    "timestamp": "2026-01-02T03:04:05Z",
}
VALID: dict[str, list[dict[str, Any]]] = {
    "inventory.reserve": [json.loads(reserve("o", "p"))],
    "inventory.release": [json.loads(release("o", "p"))],
    "inventory.reserved": [{"orderId": "o", "items": [{"productId": "p", "quantity": 1, "newStock": 1}]}],
    "inventory.rejected": [
        {
            "orderId": "o",
            "failures": [{"productId": "p", "code": "PRODUCT_INACTIVE", "requested": 1, "available": 0}],
        }
    ],
    "inventory.released": [{"orderId": "o", "items": []}],
    "payment.succeeded": [PAYMENT | {"paymentId": "pi_1"}],
    "payment.failed": [PAYMENT | {"paymentId": "pi_1", "code": "card_declined", "detail": "Declined."}],
    "payment.refunded": [PAYMENT | {"paymentId": "pi_1", "refundId": "re_1", "refund": 2, "reason": "Lost."}],
}
DEFINITIONS: list[ConsumerDefinition[Any]] = [inventory.INVENTORY_CONSUMER, orders.ORDER_CONSUMER]
DECODERS: dict[str, Callable[[ReceivedMessage], object]] = {
    topic: definition.decode for definition in DEFINITIONS for topic in definition.topics
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = st.sampled_from(sorted(VALID))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"$gt": ""}),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=8,
)
thorough_enough = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def test_every_topic_that_is_read_is_fuzzed() -> None:
    assert DECODERS.keys() == VALID.keys()
    for topic, (value,) in VALID.items():
        assert DECODERS[topic](received(json.dumps(value).encode(), topic))


@st.composite
def spoilt_values(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid value of a topic, in which one part is replaced."""
    topic = draw(TOPICS)
    value: Any = json.loads(json.dumps(VALID[topic][0]))
    place = value
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
            break
        place = place[key]
    place[key] = draw(anything)
    return topic, json.dumps(value).encode()


def decoded(topic: str, value: bytes) -> object:
    """The value of the message; None if it is invalid."""
    try:
        return DECODERS[topic](received(value, topic))
    except InvalidMessage:
        return None


@thorough_enough
@given(TOPICS, st.binary())
@example("inventory.reserve", b"[" * 100_000)
@example("inventory.reserve", b'{"orderId": "' + b"\\ud800" * 10 + b'"}')
@example("inventory.reserve", b'{"orderId": 1e999999999}')
@example("inventory.reserve", b"9" * 10_000)
def test_any_bytes_are_read_or_invalid(topic: str, value: bytes) -> None:
    decoded(topic, value)


@thorough_enough
@given(TOPICS, anything)
def test_any_json_is_read_or_invalid(topic: str, value: object) -> None:
    decoded(topic, json.dumps(value).encode())


@thorough_enough
@given(spoilt_values())
def test_a_value_with_one_wrong_part_is_typed_or_invalid(spoilt: tuple[str, bytes]) -> None:
    match decoded(*spoilt):
        case Reserve() as wanted:
            assert type(wanted.order_id) is str
            assert {type(line.product_id) for line in wanted.lines} == {str}
            assert {type(line.quantity) for line in wanted.lines} == {int}
        case Release() as wanted:
            assert type(wanted.order_id) is str


@thorough_enough
@given(TOPICS, st.data())
def test_a_truncated_value_or_one_with_a_changed_byte_is_read_or_invalid(
    topic: str, data: st.DataObject
) -> None:
    value = bytearray(json.dumps(VALID[topic][0]).encode())
    value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    decoded(topic, bytes(value[: data.draw(st.integers(0, len(value)))]))


ATTRIBUTES = ["id", "type", "source", "specversion", "time", "sequence"]
FAILURE = ["group", "topic", "partition", "offset", "attempts", "first_at"]
NAMES = [f"ce_{name}" for name in ATTRIBUTES] + [f"failure_{name}" for name in FAILURE]
names = st.sampled_from([*NAMES, "content-type", "traceparent", "redriven_for"]) | st.text()
contents = st.none() | st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass"))
likely = st.sampled_from([b"1.0", b"inventory.reserve", b"application/json", b"9" * 5000, b"-1", b"\xff"])


@thorough_enough
@given(
    topic=st.sampled_from(["inventory.reserve", "g.retry.1", "g.dlq"]),
    key=st.none() | st.binary(),
    value=st.binary() | st.none(),
    headers=st.just([]) | st.lists(st.tuples(names, contents | likely), max_size=12),
    timestamp=st.sampled_from([-1, 0, 2**62]) | st.integers(-1, 2**62),
)
def test_any_message_is_received_or_invalid_and_can_be_copied_to_a_retry_topic(
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
    timestamp: int,
) -> None:
    message = Message(
        topic=topic,
        partition=0,
        offset=7,
        key=key,
        value=value,
        headers=headers,  # type: ignore[arg-type]
        timestamp=(TIMESTAMP_CREATE_TIME, timestamp),
    )
    try:
        receive(message, headers_of(message), "g", ["inventory.reserve"])
    except InvalidMessage as error:
        failure = Failure.from_error(message, "g", ["inventory.reserve"], error, NOW)
        assert failure.kind == "invalid"
        assert len(failure.reason) <= REASON_LIMIT
        assert all(isinstance(text, str) for text in failure.as_headers().values())
