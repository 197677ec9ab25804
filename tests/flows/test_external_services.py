"""Valid and invalid messages of external services on the topics."""

import json
import uuid

import pytest

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.shop import Shop

DEAD_LETTERS = "products-service-group.dlq"


def reserve(order_id: str, product_id: object, quantity: object = 2) -> bytes:
    item = {"productId": product_id, "productName": "Lantern", "quantity": quantity, "price": "10.00"}
    timestamp = "2026-01-01T12:00:00Z"
    value = {"orderId": order_id, "orderNumber": "N-1", "items": [item], "timestamp": timestamp}
    return json.dumps(value).encode()


def test_a_plain_message_is_settled_and_its_repetition_changes_nothing(
    shop: Shop, kafka_client: KafkaClient
) -> None:
    product, order = shop.new_product(stock=10), f"external-{uuid.uuid4().hex}"
    for _ in range(3):
        kafka_client.send("inventory.reserve", order, reserve(order, product))
    answers = kafka_client.of_order(order, "inventory.reserved", count=3)
    expected = {"orderId": order, "items": [{"productId": product, "quantity": 2, "newStock": 8}]}
    assert [answer.json() for answer in answers] == [expected] * 3
    assert len({answer.headers["ce_id"] for answer in answers}) == 1
    assert shop.product(product)["stock"] == 8


def test_a_release_before_its_reserve_leaves_the_stock_unchanged(
    shop: Shop, kafka_client: KafkaClient
) -> None:
    product, order = shop.new_product(stock=10), f"external-{uuid.uuid4().hex}"
    item = {"productId": product, "productName": "Lantern", "quantity": 2}
    release = {"orderId": order, "orderNumber": "N-1", "reason": "changed my mind", "items": [item]}
    release["timestamp"] = "2026-01-01T12:00:00Z"
    kafka_client.send("inventory.release", order, json.dumps(release).encode())
    kafka_client.of_order(order, "inventory.released", count=1)
    kafka_client.send("inventory.reserve", order, reserve(order, product))
    kafka_client.of_order(order, "inventory.released", count=2)
    assert shop.product(product)["stock"] == 10


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(lambda order, product: b"{broken", "JSON", id="broken JSON"),
        pytest.param(lambda order, product: reserve(order, product, -5), "quantity", id="quantity -5"),
        pytest.param(lambda order, product: reserve(order, product, 1.5), "quantity", id="quantity 1.5"),
        pytest.param(lambda order, product: reserve(order, product, "2"), "quantity", id='quantity "2"'),
        pytest.param(lambda order, product: reserve(order, {"$gt": ""}), "productId", id="an operator as id"),
        pytest.param(lambda order, product: b"", "", id="nothing"),
        pytest.param(lambda order, product: b"[" * 100_000, "", id="deeply nested"),
    ],
)
def test_an_invalid_message_becomes_a_dead_letter_and_stops_no_other(
    shop: Shop, kafka_client: KafkaClient, spoil: object, reason: str
) -> None:
    assert callable(spoil)
    product, order = shop.new_product(stock=10), f"external-{uuid.uuid4().hex}"
    bad: bytes = spoil(order, product)
    kafka_client.send("inventory.reserve", order, bad)
    good = f"{order}-good"
    kafka_client.send("inventory.reserve", order, reserve(good, product))

    def of_ours(records: list[Record]) -> list[Record]:
        return [record for record in records if record.key == order]

    (dead,) = of_ours(kafka_client.read([DEAD_LETTERS], lambda records: bool(of_ours(records))))
    assert dead.value == bad
    assert reason in "".join(dead.headers.values())
    kafka_client.of_order(good, "inventory.reserved")
    assert shop.product(product)["stock"] == 8


def test_an_answer_about_an_unknown_order_stops_no_other(shop: Shop, kafka_client: KafkaClient) -> None:
    unknown = f"external-{uuid.uuid4().hex}"
    kafka_client.send("inventory.reserved", unknown, json.dumps({"orderId": unknown, "items": []}).encode())
    product = shop.new_product(stock=1)
    alice = shop.new_customer()
    order = alice.place((product, 1))
    alice.wait_for_status(order["id"], 2)


def test_http_and_messages_share_one_ledger(shop: Shop, kafka_client: KafkaClient) -> None:
    product, order = shop.new_product(stock=10), f"external-{uuid.uuid4().hex}"
    assert shop.service(product, "reserve", 2, order).json()["newStock"] == 8
    kafka_client.send("inventory.reserve", order, reserve(order, product))
    kafka_client.of_order(order, "inventory.reserved")
    assert shop.product(product)["stock"] == 8
    assert shop.service(product, "release", 2, order).json()["newStock"] == 10
