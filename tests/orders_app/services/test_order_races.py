"""Two who want the same order, or the same key, at once."""

from typing import Any

import pytest
from django.db import connection

from orders_app import event_data, event_effects, event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.exceptions import IdempotencyKeyReused, TransitionNotAllowed
from orders_app.models import Order
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, change_status
from orders_app.services.locked_order import open_order
from orders_app.services.place_order import Placement, batch
from orders_app.services.place_order.batch import place_orders
from orders_app.state_machine import OrderStatus, StockStatus
from products_app.selectors import find_products_to_order
from tests.concurrency import beside, someone_waits_for_an_order
from tests.orders_app.ordering import STAFF, Desk, answer, at_once, events, now, of_type, reserved

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def test_stock_that_is_confirmed_while_the_customer_cancels_is_asked_back(desk: Desk) -> None:
    order = desk.place()
    with open_order(order.id, desk.origin) as opened:
        confirmation = beside(lambda: answer(reserved(order)), until=someone_waits_for_an_order)
        opened.cancel(CANCELLED_BY_CUSTOMER)
    confirmation.result(timeout=10)
    assert events(order) == ["order.status.changed", "order.cancelled", "order.release.requested"]
    assert now(order).status == OrderStatus.CANCELLED


def test_a_cancellation_while_stock_is_confirmed_gives_the_stock_back(desk: Desk) -> None:
    order = desk.place()
    with open_order(order.id, STAFF) as opened:
        cancellation = beside(lambda: cancel(order), until=someone_waits_for_an_order)
        opened.confirm_stock()
    assert cancellation.result(timeout=10).stock_status == StockStatus.RESERVED
    last = event_log.history(order.id)[-1]
    data = event_effects.decode(EventType.CANCELLED, last.data)
    assert isinstance(data, event_data.Cancelled)
    assert data.release_stock
    assert events(order) == [
        "order.confirmed",
        "order.status.changed",
        "order.status.changed",
        "order.cancelled",
    ]


def test_four_cancellations_at_once_cancel_once(desk: Desk) -> None:
    order = desk.place()
    outcomes = at_once(*[lambda: cancel(order)] * 4)
    assert len(of_type(OrderDocument, outcomes)) == 1
    assert len(of_type(TransitionNotAllowed, outcomes)) == 3
    assert events(order) == ["order.status.changed", "order.cancelled"]


def test_two_of_staff_at_once_take_one_step(desk: Desk) -> None:
    order = desk.place()

    def process() -> OrderDocument:
        return change_status(order_id=order.id, new_status=OrderStatus.PROCESSING, origin=STAFF)

    outcomes = at_once(process, process)
    assert len(of_type(OrderDocument, outcomes)) == len(of_type(TransitionNotAllowed, outcomes)) == 1
    assert events(order) == ["order.status.changed"]


def test_the_same_answers_in_two_batches_at_once_count_once(desk: Desk) -> None:
    orders = [desk.place() for _ in range(5)]
    answers = [reserved(order) for order in orders]
    outcomes = at_once(lambda: answer(*answers), lambda: answer(*reversed(answers)))
    assert outcomes == [None, None]
    for order in orders:
        assert events(order) == ["order.confirmed", "order.status.changed"]


def test_the_same_key_eight_times_at_once_gives_one_order(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    outcomes = at_once(*[lambda: desk.request((lantern, 1), key="k-1")] * 8)
    placements = of_type(Placement, outcomes)
    assert len(placements) == 8
    assert sum(not placement.replayed for placement in placements) == 1
    assert len({placement.order.id for placement in placements}) == Order.objects.count() == 1


def test_the_same_key_for_two_orders_at_once_gives_one_and_refuses_the_other(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    outcomes = at_once(
        lambda: desk.request((lantern, 1), key="k-1"), lambda: desk.request((lantern, 2), key="k-1")
    )
    assert len(of_type(Placement, outcomes)) == len(of_type(IdempotencyKeyReused, outcomes)) == 1
    assert Order.objects.count() == 1


def test_a_rival_between_the_look_up_of_a_key_and_the_placement_wins(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lantern = desk.catalogue.add()

    def find_behind_a_rival(product_ids: Any) -> Any:
        monkeypatch.setattr(batch, "find_products_to_order", find_products_to_order)
        # As from another process: one of this process would be placed with what we are about to place.
        beside(lambda: place_orders([desk.asks((lantern, 1), key="k-1")], connection))
        return find_products_to_order(product_ids)

    monkeypatch.setattr(batch, "find_products_to_order", find_behind_a_rival)
    assert desk.request((lantern, 1), key="k-1").replayed
    assert Order.objects.count() == 1


def test_two_processes_with_the_same_keys_in_opposite_orders_do_not_wait_for_each_other(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    for round_number in range(5):
        requests = [desk.asks((lantern, 1), key=f"{round_number}-{number}") for number in range(100)]
        outcomes = at_once(
            lambda: place_orders(requests, connection),  # noqa: B023
            lambda: place_orders(requests[::-1], connection),  # noqa: B023
        )
        assert [each for each in outcomes if isinstance(each, Exception)] == []
    assert Order.objects.count() == 500
