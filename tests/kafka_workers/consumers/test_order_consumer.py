"""The order consumer: from the answers of the stock service to the orders."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from foundation.outage import DependencyUnavailable
from kafka_workers.consumers import orders
from kafka_workers.consumers.orders import ORDER_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run
from orders_app import event_log
from orders_app.document import CancelCode, OrderDocument
from orders_app.event_data import EventType
from orders_app.models import StockContradiction
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from tests.concurrency import running
from tests.kafka_workers.relay.log_entries import TRACE
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored, catalogue, now, placer
from tests.orders_app.paying import payment_gateway

__all__ = ["catalogue", "payment_gateway", "placer"]

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running_consumer() -> Iterator[None]:
    with running(lambda stop: run(ORDER_CONSUMER, stop)):
        yield


def send_answer(kafka_client: KafkaClient, topic: str, order_id: str, **value: object) -> None:
    kafka_client.send(
        topic, order_id, json.dumps({"orderId": order_id, **value}).encode(), {"traceparent": TRACE}
    )


def send_reserved(kafka_client: KafkaClient, order: OrderDocument) -> None:
    items = [{"productId": item.product_id, "quantity": item.quantity, "newStock": 0} for item in order.items]
    send_answer(kafka_client, "inventory.reserved", str(order.id), items=items)


def wait_for(order: OrderDocument, status: OrderStatus) -> OrderDocument:
    eventually(lambda: now(order).status == status, f"the order {status.label}")
    return now(order)


def test_an_order_whose_stock_is_reserved_is_processed_and_its_events_carry_the_trace(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = placer.place()
    with running_consumer():
        send_reserved(kafka_client, order)
        assert wait_for(order, OrderStatus.PROCESSING).stock_status == StockStatus.RESERVED
    events = event_log.history(order.id)[1:]
    assert [event.type for event in events] == [EventType.CONFIRMED, EventType.STATUS_CHANGED]
    assert {(event.trace_parent, event.actor) for event in events} == {(TRACE, "service:products")}


def pay(kafka_client: KafkaClient, order: OrderDocument, outcome: str, **value: object) -> None:
    """Sends an answer of the payment service, as a program that is not ours may."""
    fields = {
        "userId": order.user_id,
        "orderNumber": order.order_number,
        "amount": 2000,
        "currency": "USD",
        "attempt": 1,
        "paymentId": "pi_1",
        "timestamp": "2026-01-02T03:04:05Z",
    }
    send_answer(kafka_client, f"payment.{outcome}", str(order.id), **fields | value)


@pytest.mark.usefixtures("payment_gateway")
def test_a_prepaid_order_is_processed_once_its_stock_is_reserved_and_its_payment_taken(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = placer.place(payment_method=PaymentMethod.CREDIT_CARD, payment_token="pm_1")
    with running_consumer():
        send_reserved(kafka_client, order)
        pay(kafka_client, order, "succeeded")
        paid = wait_for(order, OrderStatus.PROCESSING)
    assert (paid.payment_status, paid.payment_reference) == (PaymentStatus.PAID, "pi_1")
    [event] = [event for event in event_log.history(order.id) if event.type == EventType.PAYMENT]
    assert (event.trace_parent, event.actor) == (TRACE, "service:payments")


@pytest.mark.usefixtures("payment_gateway")
def test_what_the_payment_service_writes_about_a_decline_is_shortened_and_made_printable(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = placer.place(payment_method=PaymentMethod.CREDIT_CARD, payment_token="pm_1")
    with running_consumer():
        pay(kafka_client, order, "failed", code="\x00" * 50, detail="\x1b[31m" + "no " * 500)
        eventually(lambda: now(order).payment_status == PaymentStatus.FAILED, "the payment failed")
    failure = now(order).payment_failure
    assert failure is not None
    assert failure.code.isprintable()
    assert failure.detail.isprintable()
    assert (len(failure.code), len(failure.detail)) == (40, 501)


def test_an_order_without_enough_stock_is_cancelled_with_the_reason(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = placer.place()
    product = order.items[0].product_id
    failure = {"productId": product, "code": "INSUFFICIENT_STOCK", "requested": 2, "available": 1}
    with running_consumer():
        send_answer(kafka_client, "inventory.rejected", str(order.id), failures=[failure])
        reason = wait_for(order, OrderStatus.CANCELLED).cancel_reason
    assert reason is not None
    assert "Lantern: 2 requested, 1 available" in reason.detail


def test_released_stock_is_recorded_on_a_cancelled_order(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = placer.place_and_move(OrderStatus.CANCELLED)
    with running_consumer():
        send_answer(kafka_client, "inventory.released", str(order.id), items=[])
        eventually(lambda: now(order).stock_status == StockStatus.RELEASED, "the stock noted as released")


def test_repeated_answers_and_answers_about_unknown_orders_change_nothing(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order, last = placer.place(), placer.place()
    with running_consumer():
        send_reserved(kafka_client, order)
        wait_for(order, OrderStatus.PROCESSING)
        before = all_that_is_stored()
        send_reserved(kafka_client, order)
        for unknown in (str(uuid.uuid4()), "external-1", "\x00", "$where"):
            send_answer(kafka_client, "inventory.reserved", unknown, items=[])
            send_answer(kafka_client, "inventory.released", unknown, items=[])
        assert all_that_is_stored() == before
        send_reserved(kafka_client, last)
        wait_for(last, OrderStatus.PROCESSING)
    assert now(order).version == 3


def test_a_forged_answer_is_kept_and_the_true_one_after_it_wins(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order, last = placer.place(), placer.place()
    product = order.items[0].product_id
    failure = {"productId": product, "code": "INSUFFICIENT_STOCK", "requested": 2, "available": 1}
    foreign = failure | {"productId": "call\n0900-1234", "code": "PRODUCT_NOT_FOUND"}
    with running_consumer():
        send_answer(kafka_client, "inventory.reserved", str(order.id), items=[])
        send_answer(kafka_client, "inventory.released", str(order.id), items=[])
        send_answer(kafka_client, "inventory.rejected", str(order.id), failures=[foreign])
        eventually(lambda: kinds(order) == FORGED, "all three kept")
        assert now(order).status == OrderStatus.PENDING
        send_answer(kafka_client, "inventory.rejected", str(order.id), failures=[failure])
        reason = wait_for(order, OrderStatus.CANCELLED).cancel_reason
        send_reserved(kafka_client, last)
        wait_for(last, OrderStatus.PROCESSING)
    assert reason is not None
    assert reason.detail == "We could not reserve your order: Lantern: 2 requested, 1 available."


FORGED = {"reserved_otherwise", "released_while_live", "rejected_otherwise"}


def kinds(order: OrderDocument) -> set[str]:
    return set(StockContradiction.objects.filter(order_id=order.id).values_list("kind", flat=True))


def test_an_answer_that_names_our_command_is_believed(kafka_client: KafkaClient, placer: OrderPlacer) -> None:
    order = placer.place()
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_type": "inventory.released",
        "ce_source": "/stockbridge/products",
        "ce_causationid": f"{order.id}:1:inventory.reserve",
    }
    with running_consumer():
        value = json.dumps({"orderId": str(order.id), "items": []}).encode()
        kafka_client.send("inventory.released", str(order.id), value, attributes)
        reason = wait_for(order, OrderStatus.CANCELLED).cancel_reason
    assert reason is not None
    assert reason.code == CancelCode.STOCK_RELEASED


def test_an_invalid_answer_becomes_a_dead_letter_with_the_reason(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = placer.place()
    with running_consumer():
        send_answer(kafka_client, "inventory.rejected", str(order.id), failures=[])
        send_reserved(kafka_client, order)
        wait_for(order, OrderStatus.PROCESSING)
    (dead,) = kafka_client.of_order(str(order.id), "orders-service-group.dlq")
    assert any("failures" in text for text in dead.headers.values())


def test_the_consumer_waits_during_an_outage_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(**_: object) -> None:
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(orders, "record_answers", unavailable)
    with pytest.raises(DependencyUnavailable, match="PostgreSQL is unavailable: the database system"):
        orders.handle([])


def test_warming_changes_nothing(placer: OrderPlacer) -> None:
    placer.place()
    before = all_that_is_stored()
    ORDER_CONSUMER.warm_up()
    assert all_that_is_stored() == before
