"""Orders and their ledger entries, compared while the shop is open."""

import threading

import pytest
from django.core.management import CommandError, call_command
from uuid6 import uuid7

from devtools.driver.shop import eventually
from devtools.stack.server import Server
from kafka_workers.audit import orders as order_audit
from kafka_workers.models import ParkedEvent
from kafka_workers.runtime.broker import topic_reader
from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_log import RELAY_READER
from orders_app.models import Order
from orders_app.models.order_event import ReaderPosition
from orders_app.services.change_order import (
    CANCELLED_BY_CUSTOMER,
    cancel_order,
    change_status,
    delete_order,
    update_order,
)
from orders_app.services.stock_claims import request_stock_again
from orders_app.state_machine import OrderStatus, StockStatus
from products_app.documents.ledger import ledger_collection
from products_app.services.stock.service import Line, Release, Reserve, settle
from tests.concurrency import insert_rival, result_of, start_beside
from tests.kafka_workers.audit.conftest import Shop, running_relay, running_workers
from tests.orders_app.ordering import STAFF, events, now
from tests.products_app.product_stock import assert_conserved, reserve, stock_of, stocked

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def wait_for_stock(order: OrderDocument, status: StockStatus) -> None:
    eventually(lambda: now(order).stock_status == status, f"stock {status.label}", seconds=30)


def test_a_consistent_shop_has_no_differences(shop: Shop, lantern: str) -> None:
    shop.processed(lantern)
    shop.wait_for(shop.place(lantern, quantity=50), OrderStatus.CANCELLED)
    released = shop.processed(lantern)
    cancel(released)
    wait_for_stock(released, StockStatus.RELEASED)
    report = shop.audit()
    assert (report["exitCode"], report["differences"], report["orders"]) == (0, [], 3)
    assert (report["inFlight"], report["waitingFor"]) == (0, "")


def test_an_order_in_flight_is_no_difference_while_the_relay_is_behind(
    closed_shop: Shop, lantern: str
) -> None:
    closed_shop.place(lantern)
    report = closed_shop.audit("--repair", grace=0.3)
    assert (report["exitCode"], report["differences"], report["inFlight"]) == (0, [], 1)
    assert report["waitingFor"] == "the relay has not sent all events"


def test_an_order_in_flight_is_no_difference_while_a_consumer_is_behind(
    closed_shop: Shop, lantern: str
) -> None:
    with running_relay():
        closed_shop.place(lantern)
        eventually(ReaderPosition.objects.exists, "the relay has sent the event")
        report = closed_shop.audit("--repair", grace=0.3)
    assert (report["exitCode"], report["differences"], report["inFlight"]) == (0, [], 1)
    assert "products-service-group has 1 messages of inventory.reserve" in report["waitingFor"]
    with running_workers():
        eventually(closed_shop.audit, "the message is read by those who come after")


def test_an_order_in_flight_is_no_difference_in_an_outage_of_kafka(
    closed_shop: Shop, lantern: str, kafka_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_reader, "REACH_SECONDS", 0.5)
    with running_relay():
        closed_shop.place(lantern)
        eventually(ReaderPosition.objects.exists, "the relay has sent the event")
    kafka_server.stop()
    try:
        report = closed_shop.audit(grace=0.3)
    finally:
        kafka_server.start()
    assert (report["exitCode"], report["differences"], report["inFlight"]) == (0, [], 1)
    assert "Kafka is unavailable" in report["waitingFor"]


def test_an_answer_that_arrives_within_the_grace_period_is_no_difference(
    closed_shop: Shop, lantern: str
) -> None:
    order = closed_shop.place(lantern)
    opening, over = threading.Event(), threading.Event()

    def open_shop() -> None:
        with running_workers():
            opening.set()
            over.wait(30)

    worker = start_beside(open_shop, until=opening.is_set)
    try:
        report = closed_shop.audit(grace=30)
    finally:
        over.set()
        result_of(worker, 30)
    assert (report["differences"], report["waitingFor"]) == ([], "")
    assert now(order).status == OrderStatus.PROCESSING


def test_an_order_that_changes_during_the_audit_is_in_flight(
    shop: Shop, lantern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.processed(lantern)
    shop.remove_entry(order)

    def change_it() -> None:
        update_order(order_id=order.id, tracking_number="T-1", origin=STAFF)

    insert_rival(monkeypatch, order_audit, "await_arrival", change_it)
    report = shop.audit("--repair")
    assert report["inFlight"] == 1
    [difference] = report["differences"]
    assert difference["kind"] == "product"
    assert difference["mended"] == ""
    assert stock_of(lantern) == 8


def test_a_lost_ledger_entry_is_found_and_its_hold_restored(shop: Shop, lantern: str) -> None:
    rope = stocked(2)
    order = shop.placer.place_items((lantern, 2), (rope, 2)).order
    shop.wait_for(order, OrderStatus.PROCESSING)
    shop.remove_entry(order)
    report = shop.audit()
    assert report["exitCode"] == 1
    assert {(each["kind"], each["id"]) for each in report["differences"]} == {
        ("order", str(order.id)),
        ("product", lantern),
        ("product", rope),
    }
    assert "the ledger knows nothing of it" in report["differences"][0]["fact"]
    assert "First repair the orders" in report["differences"][1]["mend"]
    assert shop.audit("--repair")["exitCode"] == 0
    assert (stock_of(lantern), stock_of(rope)) == (8, 0)
    shop.assert_clean()
    assert events(order) == ["order.confirmed", "order.status.changed"]


def test_a_hold_that_cannot_be_restored_leaves_the_stock_alone(shop: Shop, lantern: str) -> None:
    order = shop.processed(lantern)
    shop.remove_entry(order)
    shop.change_product(lantern, {"$set": {"isActive": False}})
    report = shop.audit("--repair")
    assert report["exitCode"] == 1
    assert [each["mended"] for each in report["differences"]] == ["", ""]
    assert stock_of(lantern) == 8


def test_an_entry_released_without_the_order_is_reported_and_left(shop: Shop, lantern: str) -> None:
    order = shop.processed(lantern)
    settle([Release(str(order.id))])
    difference = shop.difference("--repair")
    assert "the ledger says released and holds nothing" in difference["fact"]
    assert "cancel the order" in difference["mend"]
    assert difference["mended"] == ""


def test_stock_that_is_held_for_an_order_that_never_was_is_given_back(shop: Shop, lantern: str) -> None:
    kept = [shop.processed(lantern), deleted(shop.processed(lantern))]
    lost, external = str(uuid7()), str(uuid7())
    settle([reserve(lost, (lantern, 3)), Reserve(external, (Line(lantern, 1),), is_external=True)])
    difference = shop.difference("--repair")
    assert (difference["kind"], difference["id"], difference["mended"]) == ("ledger", lost, "Given back")
    assert "there is no such order" in difference["fact"]
    assert stock_of(lantern) == 10 - 2 * len(kept) - 1
    shop.assert_clean()
    assert_conserved()


def deleted(order: OrderDocument) -> OrderDocument:
    """The order, delivered and deleted: its pieces stay held."""
    for status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        change_status(order_id=order.id, new_status=status, origin=STAFF)
    delete_order(order_id=order.id, origin=STAFF)
    return order


def test_the_ledger_of_another_installation_is_not_repaired(closed_shop: Shop) -> None:
    lamp = stocked(20)
    settle([reserve(str(uuid7()), (lamp, 1)) for _ in range(11)])
    with pytest.raises(CommandError, match=r"belong together\. Nothing was repaired") as refused:
        call_command("audit_stock", "--repair")
    assert refused.value.returncode == 2
    assert stock_of(lamp) == 9


def test_a_ledger_that_was_dropped_is_made_anew_from_the_orders(closed_shop: Shop, lantern: str) -> None:
    with running_workers():
        orders = [closed_shop.processed(lantern) for _ in range(3)]
        cancel(orders[0])
        wait_for_stock(orders[0], StockStatus.RELEASED)
        ledger_collection().delete_many({})
        assert closed_shop.audit("--repair")["exitCode"] == 0
        closed_shop.assert_clean()
    assert stock_of(lantern) == 6
    assert_conserved()


def test_a_row_changed_by_hand_is_reported_and_left_to_replay_orders(shop: Shop, lantern: str) -> None:
    order = shop.processed(lantern)
    Order.objects.filter(pk=order.id).update(status=OrderStatus.CANCELLED)
    difference = shop.difference("--repair")
    assert "it is cancelled and its stock is not given back" in difference["fact"]
    assert "replay_orders" in difference["mend"]
    assert difference["mended"] == ""
    assert stock_of(lantern) == 8
    assert events(order) == ["order.confirmed", "order.status.changed"]


def test_a_lost_request_is_sent_again(closed_shop: Shop, lantern: str) -> None:
    order = closed_shop.place(lantern)
    skip_all_events()
    with running_workers():
        difference = closed_shop.difference("--repair")
        assert "its stock was asked for and no answer came" in difference["fact"]
        assert "dead_letters list --key" in difference["mend"]
        assert "Asked the stock service again" in difference["mended"]
        closed_shop.wait_for(order, OrderStatus.PROCESSING)
        closed_shop.assert_clean()
    assert events(order) == ["order.reserve.requested", "order.confirmed", "order.status.changed"]
    assert stock_of(lantern) == 8


def test_a_lost_answer_is_sent_again(closed_shop: Shop, lantern: str) -> None:
    order = closed_shop.place(lantern)
    skip_all_events()
    settle([reserve(str(order.id), (lantern, 2))])
    with running_workers():
        assert "no answer came: the ledger says reserved" in closed_shop.difference("--repair")["fact"]
        closed_shop.wait_for(order, OrderStatus.PROCESSING)
        closed_shop.assert_clean()
    assert stock_of(lantern) == 8


def test_a_lost_release_is_sent_again(closed_shop: Shop, lantern: str) -> None:
    with running_workers():
        order = closed_shop.processed(lantern)
    cancel(order)
    skip_all_events()
    with running_workers():
        difference = closed_shop.difference("--repair")
        assert "it is cancelled and its stock is not given back" in difference["fact"]
        wait_for_stock(order, StockStatus.RELEASED)
        closed_shop.assert_clean()
    assert stock_of(lantern) == 10
    assert_conserved()


def test_an_order_with_a_parked_event_is_in_flight(closed_shop: Shop, lantern: str) -> None:
    order = closed_shop.place(lantern)
    skip_all_events()
    ParkedEvent.objects.create(
        order_id=order.id, version=1, type="order.created", reason="refused", detail="too large"
    )
    with running_workers():
        report = closed_shop.audit("--repair")
    assert (report["exitCode"], report["differences"], report["inFlight"]) == (0, [], 1)


def test_no_request_is_sent_for_an_order_that_has_changed_since(closed_shop: Shop, lantern: str) -> None:
    order = closed_shop.place(lantern)
    update_order(order_id=order.id, tracking_number="T-1", origin=STAFF)
    assert not request_stock_again(order_id=order.id, version=1, origin=STAFF)
    assert events(order) == ["order.updated"]


def skip_all_events() -> None:
    """Moves the relay past all events, as if Kafka had lost their messages."""
    event_log.store_position(RELAY_READER, event_log.last_position())
