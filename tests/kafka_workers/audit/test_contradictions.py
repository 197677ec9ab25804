"""Forged messages and overrides beside the running workers: orders end rightly, and nothing drifts."""

import json
from collections.abc import Callable

import pytest

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from orders_app.document import CancelCode, OrderDocument
from orders_app.models import StockContradiction
from orders_app.services.change_order import CANCELLED_BY_STAFF, cancel_order
from orders_app.state_machine import OrderStatus, StockStatus
from tests.kafka_workers.audit.conftest import Shop, running_workers
from tests.orders_app.ordering import STAFF, move, now
from tests.products_app.product_stock import assert_conserved, stock_of

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, CANCELLED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.CANCELLED
OTHER = "665f1f77bcf86cd799439011"
Forge = Callable[[OrderDocument], tuple[str, dict[str, object]]]


def line(product_id: str, quantity: int) -> dict[str, object]:
    return {"productId": product_id, "quantity": quantity, "newStock": 0}


def shortage(product_id: str, quantity: int) -> dict[str, object]:
    return {"productId": product_id, "code": "INSUFFICIENT_STOCK", "requested": quantity, "available": 0}


FORGED: dict[str, Forge] = {
    "reserved, nothing": lambda order: ("inventory.reserved", {"items": []}),
    "reserved, another product": lambda order: ("inventory.reserved", {"items": [line(OTHER, 2)]}),
    "rejected, another product": lambda order: ("inventory.rejected", {"failures": [shortage(OTHER, 1)]}),
    "released, nothing": lambda order: ("inventory.released", {"items": []}),
    "released, all": lambda order: (
        "inventory.released",
        {"items": [line(order.items[0].product_id, order.items[0].quantity)]},
    ),
}


def send(kafka_client: KafkaClient, order: OrderDocument, forge: Forge) -> None:
    topic, value = forge(order)
    order_id = str(order.id)
    kafka_client.send(topic, order_id, json.dumps({"orderId": order_id, **value}).encode())


def send_command(
    kafka_client: KafkaClient, topic: str, order: OrderDocument, *items: tuple[str, int]
) -> None:
    lines = [
        {"productId": product, "productName": "x", "quantity": number, "price": "1"}
        for product, number in items
    ]
    value = {"orderId": str(order.id), "orderNumber": "x", "reason": "x", "items": lines}
    value["timestamp"] = "2026-01-01T12:00:00Z"
    kafka_client.send(topic, str(order.id), json.dumps(value).encode())


def wait_until_kept(order: OrderDocument, number: int = 1) -> None:
    kept = StockContradiction.objects.filter(order_id=order.id)
    eventually(lambda: kept.count() >= number, f"{number} contradictions kept", seconds=30)


def wait_for_stock(order: OrderDocument, status: StockStatus) -> None:
    eventually(lambda: now(order).stock_status == status, f"stock {status.label}", seconds=30)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_answer_before_or_after_the_true_one_changes_no_end(
    closed_shop: Shop, lantern: str, kafka_client: KafkaClient, name: str
) -> None:
    early, early_short = closed_shop.place(lantern), closed_shop.place(lantern, quantity=900)
    for order in (early, early_short):
        send(kafka_client, order, FORGED[name])
    with running_workers():
        late = closed_shop.processed(lantern)
        send(kafka_client, late, FORGED[name])
        send(kafka_client, late, FORGED[name])
        wait_until_kept(late)
        for order in (early, late):
            wait_for_stock(order, StockStatus.RESERVED)
            assert closed_shop.wait_for(order, PROCESSING)
        reason = closed_shop.wait_for(early_short, CANCELLED).cancel_reason
        assert reason is not None
        assert reason.code == CancelCode.INSUFFICIENT_STOCK
        assert reason.detail.startswith("We could not reserve your order: Lantern: 900 requested, ")
        closed_shop.assert_clean()
    assert stock_of(lantern) == 6


def test_a_possible_forged_reservation_does_not_outlive_the_true_rejection(
    closed_shop: Shop, lantern: str, kafka_client: KafkaClient
) -> None:
    order = closed_shop.place(lantern, quantity=900)
    send(kafka_client, order, lambda order: ("inventory.reserved", {"items": [line(lantern, 900)]}))
    with running_workers():
        assert closed_shop.wait_for(order, CANCELLED).stock_status == StockStatus.REJECTED
        closed_shop.assert_clean()


def test_a_forged_release_command_cancels_a_live_order_and_gives_its_pieces_back_once(
    shop: Shop, lantern: str, kafka_client: KafkaClient
) -> None:
    order = shop.processed(lantern)
    send_command(kafka_client, "inventory.release", order, (lantern, 2))
    reason = shop.wait_for(order, CANCELLED).cancel_reason
    wait_for_stock(order, StockStatus.RELEASED)
    assert reason is not None
    assert reason.code == CancelCode.STOCK_RELEASED
    shop.assert_clean()
    assert stock_of(lantern) == 10


def test_a_forged_reserve_command_before_ours_ends_the_order_and_holds_nothing(
    closed_shop: Shop, lantern: str, kafka_client: KafkaClient
) -> None:
    order = closed_shop.place(lantern)
    send_command(kafka_client, "inventory.reserve", order, (lantern, 5))
    with running_workers():
        closed_shop.wait_for(order, CANCELLED)
        wait_for_stock(order, StockStatus.RELEASED)
        closed_shop.assert_clean()
    assert stock_of(lantern) == 10


def test_an_order_that_went_on_without_its_stock_is_shown_and_nothing_drifts(
    closed_shop: Shop, lantern: str
) -> None:
    shipped, processing, cancelled = (closed_shop.place(lantern, quantity=900) for _ in range(3))
    for order in (shipped, processing, cancelled):
        move(order, PROCESSING)
    move(shipped, SHIPPED)
    cancel_order(order_id=cancelled.id, reason=CANCELLED_BY_STAFF, origin=STAFF)
    with running_workers():
        for order in (shipped, processing):
            wait_for_stock(order, StockStatus.REJECTED)
        assert (now(shipped).status, now(processing).status) == (SHIPPED, PROCESSING)
        report = closed_shop.audit()
        assert (report["driftPieces"], report["withoutStock"]) == (0, [str(shipped.id)])
        [difference] = report["differences"]
        assert difference["id"] == str(processing.id)
        assert difference["mend"] == "Cancel the order, or ship it by an override"
    kept = StockContradiction.objects.filter(outcome="for_people")
    assert set(kept.values_list("order_id", flat=True)) == {shipped.id, processing.id}
    assert_conserved()
    assert stock_of(lantern) == 10
