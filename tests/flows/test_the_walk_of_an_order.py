"""The walk of an order through every process, observed from outside."""

import uuid

import pytest

from devtools.driver.admin_pages import AdminPages
from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import (
    CANCELLED,
    CREDIT_CARD,
    DELIVERED,
    PAID,
    PAYMENT_PENDING,
    PENDING,
    PROCESSING,
    SHIPPED,
    Shop,
)


def test_an_order_reserves_its_stock_and_its_customer_is_sent_the_messages(shop: Shop) -> None:
    product = shop.new_product(stock=10, price="12.50")
    alice = shop.new_customer()
    with alice.listening() as socket:
        order = alice.place((product, 3))
        assert (order["status"], order["stockStatus"], order["totalAmount"]) == (PENDING, "pending", "37.50")
        created = socket.wait_for("order:created", order["id"])
        confirmed = socket.wait_for("order:confirmed", order["id"])
        changed = socket.wait_for("order:status_changed", order["id"])
    assert [message["version"] for message in (created, confirmed, changed)] == [1, 2, 3]
    assert (changed["oldStatus"], changed["newStatus"]) == (PENDING, PROCESSING)
    assert changed["order"]["stockStatus"] == "reserved"
    assert alice.wait_for_status(order["id"], PROCESSING) == changed["order"]
    assert shop.product(product)["stock"] == 7


def test_an_order_without_enough_stock_is_cancelled_with_the_reason_and_reserves_nothing(shop: Shop) -> None:
    plenty, scarce = shop.new_product(stock=10), shop.new_product(stock=1)
    alice = shop.new_customer()
    with alice.listening() as socket:
        order = alice.place((plenty, 2), (scarce, 2))
        cancelled = socket.wait_for("order:cancelled", order["id"])
    assert cancelled["order"]["cancelReason"]["code"] == "INSUFFICIENT_STOCK"
    assert cancelled["order"]["stockStatus"] == "rejected"
    assert alice.wait_for_status(order["id"], CANCELLED)["cancelReason"]["detail"]
    assert (shop.product(plenty)["stock"], shop.product(scarce)["stock"]) == (10, 1)


def test_a_cancelled_order_releases_its_stock_once(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    order = alice.place((product, 5))
    alice.wait_for_status(order["id"], PROCESSING)
    shop.wait_for_stock(product, 0)
    assert shop.product(product)["inStock"] is False
    assert alice.call("PATCH", f"orders/{order['id']}/cancel/").status_code == 200
    assert alice.call("PATCH", f"orders/{order['id']}/cancel/").status_code == 409
    alice.wait_for_stock_status(order["id"], "released")
    assert shop.product(product)["stock"] == 5
    assert alice.order(order["id"])["status"] == CANCELLED


def test_an_order_cancelled_immediately_holds_nothing_in_the_end(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    orders = [alice.place((product, 1))["id"] for _ in range(5)]
    for order in orders:
        assert alice.call("PATCH", f"orders/{order}/cancel/").status_code == 200
    for order in orders:
        alice.wait_for_stock_status(order, "released")
    assert shop.product(product)["stock"] == 5


def test_a_delivered_order_causes_order_completed(shop: Shop, kafka_client: KafkaClient) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    order = alice.place((product, 1))
    alice.wait_for_status(order["id"], PROCESSING)
    for status in (SHIPPED, DELIVERED):
        answer = shop.set_status(order["id"], status)
        assert answer.status_code == 200, answer.text
    (completed,) = kafka_client.of_order(order["id"], "order.completed")
    assert completed.headers["ce_type"] == "order.completed"
    value = completed.json()
    assert value["totalAmount"] == "10.00"
    assert value["deliveredAt"] == alice.order(order["id"])["deliveredAt"]
    assert shop.product(product)["stock"] == 4


def test_every_step_of_an_order_is_a_cloudevent_in_the_order_of_its_versions(
    shop: Shop, kafka_client: KafkaClient
) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    order = alice.place((product, 1))
    alice.wait_for_status(order["id"], PROCESSING)
    alice.call("PATCH", f"orders/{order['id']}/cancel/")
    changes = kafka_client.of_order(order["id"], "order.status.changed", count=2)
    assert [(change.json()["oldStatus"], change.json()["newStatus"]) for change in changes] == [
        (1, 2),
        (2, 5),
    ]
    sequences = [int(change.headers["ce_sequence"]) for change in changes]
    assert sequences == sorted(sequences)
    records = kafka_client.of_order(
        order["id"], "order.created", "inventory.reserve", "inventory.reserved", "inventory.release", count=4
    )
    for record in records:
        assert record.headers["ce_specversion"] == "1.0"
        assert record.headers["ce_type"] == record.topic
        assert record.headers["content-type"] == "application/json"
    traces = {
        record.headers["traceparent"].split("-")[1] for record in records if "release" not in record.topic
    }
    assert len(traces) == 1


def test_an_order_paid_by_card_waits_until_staff_mark_it_paid(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    with alice.listening() as socket:
        order = alice.place((product, 1), payment_method=CREDIT_CARD)
        socket.wait_for("order:confirmed", order["id"])
        waiting = alice.order(order["id"])
        assert (waiting["status"], waiting["stockStatus"]) == (PENDING, "reserved")
        with AdminPages(shop.web_url, shop.staff_name, shop.staff_password) as admin:
            assert "1 order changed." in admin.act_on_order("Mark as paid", order["id"])
        socket.wait_for("order:status_changed", order["id"])
    received = [message["type"] for message in socket.received if message.get("orderId") == order["id"]]
    assert received == ["order:created", "order:confirmed", "order:payment", "order:status_changed"]
    paid = alice.wait_for_status(order["id"], PROCESSING)
    assert (waiting["paymentStatus"], paid["paymentStatus"]) == (PAYMENT_PENDING, PAID)
    assert shop.product(product)["stock"] == 4


def test_the_same_idempotency_key_places_one_order(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    key = uuid.uuid4().hex
    first, second = alice.place((product, 1), key=key), alice.place((product, 1), key=key)
    assert first["id"] == second["id"]
    alice.wait_for_status(first["id"], PROCESSING)
    assert shop.product(product)["stock"] == 4


def test_customers_neither_see_nor_change_orders_of_others(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice, mallory = shop.new_customer(), shop.new_customer()
    with mallory.listening() as socket:
        order = alice.place((product, 1))
        own = mallory.place((product, 1))
        socket.wait_for("order:confirmed", own["id"])
        assert {message["orderId"] for message in socket.received if "orderId" in message} == {own["id"]}
    before = alice.wait_for_status(order["id"], PROCESSING)
    for method, path, body in [
        ("GET", f"orders/{order['id']}/", None),
        ("GET", f"orders/{order['id']}/history/", None),
        ("PATCH", f"orders/{order['id']}/", {"shippingAddress": before["shippingAddress"]}),
        ("PATCH", f"orders/{order['id']}/cancel/", {}),
        ("PATCH", f"orders/{order['id']}/status/", {"status": 3}),
        ("DELETE", f"orders/{order['id']}/", None),
    ]:
        assert mallory.call(method, path, json=body).status_code in {403, 404}, (method, path)
    assert alice.order(order["id"]) == before


def test_a_reconnecting_socket_receives_missed_messages_first(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    with alice.listening() as socket:
        order = alice.place((product, 1))
        created = socket.wait_for("order:created", order["id"])
    alice.wait_for_status(order["id"], PROCESSING)
    with alice.listening(created["eventId"]) as socket:
        kinds = [(socket.next()["type"]) for _ in range(2)]
    assert kinds == ["order:confirmed", "order:status_changed"]


def test_staff_receive_messages_about_every_order(shop: Shop) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    with shop.staff.listening() as socket:
        order = alice.place((product, 1))
        socket.wait_for("order:status_changed", order["id"])


@pytest.mark.parametrize("status", [DELIVERED, PROCESSING, PENDING])
def test_a_forbidden_transition_names_the_possible_ones(shop: Shop, status: int) -> None:
    product = shop.new_product(stock=5)
    alice = shop.new_customer()
    order = alice.place((product, 1))
    before = alice.wait_for_status(order["id"], PROCESSING)
    answer = shop.set_status(order["id"], status)
    assert answer.status_code == 409
    assert "Shipped" in answer.text
    assert "Cancelled" in answer.text
    assert alice.order(order["id"]) == before
