"""The order consumer: from the answers of the stock service to the orders."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from devtools.driver.kafka import Wire
from devtools.driver.shop import eventually
from foundation.outage import DependencyUnavailable
from kafka_workers.consumers import orders
from kafka_workers.consumers.orders import ORDER_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run
from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.state_machine import OrderStatus, StockStatus
from tests.concurrency import running
from tests.kafka_workers.relay.log_entries import TRACE
from tests.orders_app.ordering import Desk, all_that_is_stored, catalogue, desk, now

__all__ = ["catalogue", "desk"]

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def consuming() -> Iterator[None]:
    with running(lambda stop: run(ORDER_CONSUMER, stop)):
        yield


def tell(wire: Wire, topic: str, order_id: str, **value: object) -> None:
    wire.send(topic, order_id, json.dumps({"orderId": order_id, **value}).encode(), {"traceparent": TRACE})


def wait_for(order: OrderDocument, status: OrderStatus) -> OrderDocument:
    eventually(lambda: now(order).status == status, f"the order {status.label}")
    return now(order)


def test_an_order_whose_stock_is_reserved_is_processed_and_its_events_carry_the_trace(
    wire: Wire, desk: Desk
) -> None:
    order = desk.place()
    with consuming():
        tell(wire, "inventory.reserved", str(order.id), items=[])
        assert wait_for(order, OrderStatus.PROCESSING).stock_status == StockStatus.RESERVED
    events = event_log.history(order.id)[1:]
    assert [event.type for event in events] == [EventType.CONFIRMED, EventType.STATUS_CHANGED]
    assert {(event.trace_parent, event.actor) for event in events} == {(TRACE, "service:products")}


def test_an_order_short_of_stock_is_cancelled_and_says_why(wire: Wire, desk: Desk) -> None:
    order = desk.place()
    product = order.items[0].product_id
    failure = {"productId": product, "code": "INSUFFICIENT_STOCK", "requested": 2, "available": 1}
    with consuming():
        tell(wire, "inventory.rejected", str(order.id), failures=[failure])
        reason = wait_for(order, OrderStatus.CANCELLED).cancel_reason
    assert reason is not None
    assert "Lantern: 2 requested, 1 available" in reason.detail


def test_stock_given_back_is_noted_on_a_cancelled_order(wire: Wire, desk: Desk) -> None:
    order = desk.place_in(OrderStatus.CANCELLED)
    with consuming():
        tell(wire, "inventory.released", str(order.id), items=[])
        eventually(lambda: now(order).stock_status == StockStatus.RELEASED, "the stock noted as released")


def test_the_same_answer_again_and_answers_about_others_orders_change_nothing(wire: Wire, desk: Desk) -> None:
    order, last = desk.place(), desk.place()
    with consuming():
        tell(wire, "inventory.reserved", str(order.id), items=[])
        wait_for(order, OrderStatus.PROCESSING)
        before = all_that_is_stored()
        tell(wire, "inventory.reserved", str(order.id), items=[])
        for stranger in (str(uuid.uuid4()), "neighbour-1", "\x00", "$where"):
            tell(wire, "inventory.reserved", stranger, items=[])
            tell(wire, "inventory.released", stranger, items=[])
        assert all_that_is_stored() == before
        tell(wire, "inventory.reserved", str(last.id), items=[])
        wait_for(last, OrderStatus.PROCESSING)
    assert now(order).version == 3


def test_an_answer_that_cannot_be_right_is_kept_with_the_reason(wire: Wire, desk: Desk) -> None:
    order = desk.place()
    with consuming():
        tell(wire, "inventory.rejected", str(order.id), failures=[])
        tell(wire, "inventory.reserved", str(order.id), items=[])
        wait_for(order, OrderStatus.PROCESSING)
    (dead,) = wire.of_order(str(order.id), "orders-service-group.dlq")
    assert any("failures" in text for text in dead.headers.values())


def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(orders, "record_answers", away)
    with pytest.raises(DependencyUnavailable, match="PostgreSQL is unavailable: the database system"):
        orders.handle([])
