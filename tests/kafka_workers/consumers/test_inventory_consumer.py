"""The inventory consumer: from requests on the broker to the stock service, and its answers back."""

import dataclasses
import json
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.shop import eventually
from foundation.outage import DependencyUnavailable
from kafka_workers.consumers import inventory
from kafka_workers.consumers.inventory import INVENTORY_CONSUMER, OrderRequest
from kafka_workers.runtime.consuming.consumer_loop import run
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from products_app.exceptions import CatalogueUnavailable
from products_app.services.stock.service import Line, Release, Reserve
from tests.concurrency import running
from tests.kafka_workers.relay.log_entries import TRACE
from tests.products_app.product_stock import stock_of, stocked

DEAD_LETTERS = "products-service-group.dlq"

pytestmark = pytest.mark.usefixtures("clean_catalogue")


@contextmanager
def running_consumer() -> Iterator[None]:
    with running(lambda stop: run(INVENTORY_CONSUMER, stop)):
        yield


def new_order() -> str:
    return f"external-{uuid.uuid4().hex}"


def reserve(order: str, product: object, quantity: object = 2, price: object = "10.00") -> bytes:
    item = {"productId": product, "productName": "Lantern", "quantity": quantity, "price": price}
    value = {"orderId": order, "orderNumber": "N-1", "items": [item], "timestamp": "2026-01-01T12:00:00Z"}
    return json.dumps(value).encode()


def release(order: str, product: str) -> bytes:
    item = {"productId": product, "productName": "Lantern", "quantity": 2}
    value = {"orderId": order, "orderNumber": "N-1", "reason": "no more", "items": [item]}
    return json.dumps(value | {"timestamp": "2026-01-01T12:00:00Z"}).encode()


def received(value: bytes, topic: str = "inventory.reserve") -> ReceivedMessage:
    return ReceivedMessage(
        topic=topic,
        partition=0,
        offset=5,
        key="k",
        value=value,
        id="i",
        type=topic,
        source="",
        subject="",
        time=datetime.now(UTC),
        cause="",
        sequence=None,
        trace_parent="",
        attempt=1,
    )


def test_a_plain_message_is_settled_and_its_repetition_changes_nothing(kafka_client: KafkaClient) -> None:
    product, order = stocked(10), new_order()
    with running_consumer():
        for _ in range(2):
            kafka_client.send("inventory.reserve", order, reserve(order, product))
        answers = kafka_client.of_order(order, "inventory.reserved", count=2)
    expected = {"orderId": order, "items": [{"productId": product, "quantity": 2, "newStock": 8}]}
    assert [answer.json() for answer in answers] == [expected] * 2
    assert {answer.headers["ce_id"] for answer in answers} == {f"{order}:inventory.reserved"}
    causes = [answer.headers["ce_causationid"] for answer in answers]
    assert len(set(causes)) == 2
    assert all(cause.startswith("inventory.reserve/") for cause in causes)
    assert stock_of(product) == 8


def test_a_release_returns_the_stock_and_its_answer_carries_the_trace(kafka_client: KafkaClient) -> None:
    product, order = stocked(10), new_order()
    with running_consumer():
        kafka_client.send("inventory.reserve", order, reserve(order, product))
        kafka_client.of_order(order, "inventory.reserved")
        kafka_client.send("inventory.release", order, release(order, product), {"traceparent": TRACE})
        (answer,) = kafka_client.of_order(order, "inventory.released")
    assert answer.headers["traceparent"] == TRACE
    assert answer.headers["ce_source"] == "/stockbridge/products"
    assert stock_of(product) == 10


def test_a_shortage_is_answered_with_the_stock(kafka_client: KafkaClient) -> None:
    product, order = stocked(1), new_order()
    with running_consumer():
        kafka_client.send("inventory.reserve", order, reserve(order, product))
        (answer,) = kafka_client.of_order(order, "inventory.rejected")
    failure = {"productId": product, "code": "INSUFFICIENT_STOCK", "requested": 2, "available": 1}
    assert answer.json() == {"orderId": order, "failures": [failure]}
    assert stock_of(product) == 1


def test_invalid_messages_become_dead_letters_with_the_reason_and_stop_no_later_message(
    kafka_client: KafkaClient,
) -> None:
    product, bad, good = stocked(10), new_order(), new_order()
    spoilt = {
        reserve(bad, product, -5): "quantity",
        reserve(bad, product, 1.5): "quantity",
        reserve(bad, product, "2"): "quantity",
        reserve(bad, {"$gt": ""}): "productId",
        b"{broken": "JSON",
    }
    with running_consumer():
        for value in spoilt:
            kafka_client.send("inventory.reserve", bad, value)
        # The same key puts it into the partition of the invalid messages, after them.
        kafka_client.send("inventory.reserve", bad, reserve(good, product))
        kafka_client.of_order(good, "inventory.reserved")
    dead = kafka_client.of_order(bad, DEAD_LETTERS, count=len(spoilt))
    assert {record.value for record in dead} == spoilt.keys()
    for record in dead:
        assert spoilt[record.value] in reason_of(record)
    assert stock_of(product) == 8


def reason_of(record: Record) -> str:
    return " ".join(text for name, text in record.headers.items() if "reason" in name)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"", "truncated", id="nothing"),
        pytest.param(b"null", "Expected `object`, got `null`", id="null"),
        pytest.param(b'{"orderId": "\xff"}', "utf-8", id="not UTF-8"),
        pytest.param(b'{"orderId": "\\ud800"}', "truncated", id="half a surrogate pair"),
        pytest.param(b'{"x": ' * 100_000, "nested too deep", id="an unknown field nested too deep"),
        pytest.param(
            reserve("o", "p").replace(b'"orderId"', b'"orderId": "other", "orderId"', 1),
            "'orderId' twice",
            id="a field twice",
        ),
        pytest.param(
            reserve("o", "p", 7).replace(b": 7", b": " + b"7" * 5000), "quantity", id="a huge quantity"
        ),
        pytest.param(reserve("o", "p", True), "quantity", id="a truth value as quantity"),
        pytest.param(reserve("o", "p", 0), "quantity", id="quantity 0"),
        pytest.param(reserve("o", "p", price="NaN"), "price", id="NaN as price"),
        pytest.param(reserve("o", "p", price="sNaN"), "price", id="a signalling NaN as price"),
        pytest.param(reserve("o", "p", price=float("nan")), "JSON", id="NaN without quotes"),
        pytest.param(reserve("o", "p", price="-Infinity"), "price", id="minus infinity as price"),
        pytest.param(reserve("o", "p", price="-0.01"), "price", id="a negative price"),
        pytest.param(reserve("", "p"), "orderId", id="an empty order id"),
        pytest.param(reserve("o" * 65, "p"), "orderId", id="a long order id"),
    ],
)
def test_an_invalid_value_is_refused_with_a_reason(value: bytes, reason: str) -> None:
    with pytest.raises(InvalidMessage, match=reason) as raised:
        inventory.decode(received(value))
    assert len(raised.value.reason) < 300


def test_unknown_fields_of_a_message_are_ignored() -> None:
    value = json.dumps(json.loads(reserve("o", "p")) | {"colour": {"of": ["the", "box"]}}).encode()
    assert inventory.decode(received(value)) == Reserve("o", (Line("p", 2),), is_external=True)
    assert inventory.decode(received(release("o", "p"), "inventory.release")) == Release("o")


def test_the_consumer_waits_during_an_outage_of_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: object) -> None:
        raise CatalogueUnavailable("no primary")

    monkeypatch.setattr(inventory, "settle_counting", unavailable)
    message = received(reserve("o", "p"))
    with pytest.raises(DependencyUnavailable, match="MongoDB is unavailable: no primary"):
        inventory.handle([DecodedMessage(message, inventory.decode(message))])


def test_two_workers_share_the_partitions(kafka_client: KafkaClient) -> None:
    product = stocked(1000)
    handled: dict[str, list[str]] = {"first": [], "second": []}

    def worker(name: str, stop: threading.Event) -> None:
        def handle(batch: Sequence[DecodedMessage[OrderRequest]]) -> Iterable[OutgoingMessage]:
            handled[name] += [decoded.value.order_id for decoded in batch]
            return inventory.handle(batch)

        run(dataclasses.replace(INVENTORY_CONSUMER, handle=handle), stop)

    orders: list[str] = []

    def both_have_work() -> bool:
        orders.append(new_order())
        kafka_client.send("inventory.reserve", orders[-1], reserve(orders[-1], product, 1))
        return all(handled.values())

    with running(lambda stop: worker("first", stop)), running(lambda stop: worker("second", stop)):
        eventually(both_have_work, "work for both")
        eventually(lambda: stock_of(product) == 1000 - len(orders), "every order settled")
    assert set(handled["first"]) | set(handled["second"]) == set(orders)
