"""Concurrent changes of one order, and concurrent placements with one key."""

import pytest
from django.db import connection

from orders_app import event_data, event_effects, event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.exceptions import IdempotencyKeyReused, TransitionNotAllowed
from orders_app.models import Order
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from orders_app.services.locking import locked_order
from orders_app.services.place_order import Placement, service
from orders_app.services.place_order.service import place_orders
from orders_app.state_machine import OrderStatus, StockStatus
from tests.concurrency import (
    a_transaction_waits_for_an_order,
    insert_rival,
    of_type,
    race,
    result_of,
    run_together,
    start_beside,
)
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, events, move, now, reserved

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def test_stock_confirmed_while_the_customer_cancels_is_released(placer: OrderPlacer) -> None:
    order = placer.place()
    with locked_order(order.id, placer.origin) as locked:
        confirmation = start_beside(lambda: answer(reserved(order)), until=a_transaction_waits_for_an_order)
        locked.cancel(CANCELLED_BY_CUSTOMER)
    result_of(confirmation)
    assert events(order) == ["order.status.changed", "order.cancelled", "order.release.requested"]
    assert now(order).status == OrderStatus.CANCELLED


def test_a_cancellation_while_stock_is_confirmed_releases_the_stock(placer: OrderPlacer) -> None:
    order = placer.place()
    with locked_order(order.id, STAFF) as locked:
        cancellation = start_beside(lambda: cancel(order), until=a_transaction_waits_for_an_order)
        locked.confirm_stock()
    assert result_of(cancellation).stock_status == StockStatus.RESERVED
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


def test_four_cancellations_at_once_cancel_once(placer: OrderPlacer) -> None:
    order = placer.place()
    outcomes = race(*[lambda: cancel(order)] * 4)
    assert len(of_type(OrderDocument, outcomes)) == 1
    assert len(of_type(TransitionNotAllowed, outcomes)) == 3
    assert events(order) == ["order.status.changed", "order.cancelled"]


def test_two_concurrent_status_changes_by_staff_make_one_transition(placer: OrderPlacer) -> None:
    order = placer.place()

    def process() -> OrderDocument:
        return move(order, OrderStatus.PROCESSING)

    outcomes = race(process, process)
    assert len(of_type(OrderDocument, outcomes)) == len(of_type(TransitionNotAllowed, outcomes)) == 1
    assert events(order) == ["order.status.changed"]


def test_the_same_answers_in_two_concurrent_batches_count_once(placer: OrderPlacer) -> None:
    orders = [placer.place() for _ in range(5)]
    answers = [reserved(order) for order in orders]
    run_together(lambda: answer(*answers), lambda: answer(*reversed(answers)))
    for order in orders:
        assert events(order) == ["order.confirmed", "order.status.changed"]


def test_eight_concurrent_requests_with_one_key_give_one_order(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    placements = run_together(*[lambda: placer.place_items((lantern, 1), key="k-1")] * 8)
    assert sum(not placement.replayed for placement in placements) == 1
    assert len({placement.order.id for placement in placements}) == Order.objects.count() == 1


def test_of_two_concurrent_orders_with_one_key_one_is_refused(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    outcomes = race(
        lambda: placer.place_items((lantern, 1), key="k-1"),
        lambda: placer.place_items((lantern, 2), key="k-1"),
    )
    assert len(of_type(Placement, outcomes)) == len(of_type(IdempotencyKeyReused, outcomes)) == 1
    assert Order.objects.count() == 1


def test_a_placement_between_the_look_up_of_a_key_and_the_insert_wins(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lantern = placer.catalogue.add()

    def place_as_another_process_does() -> None:
        # A request of this process would be placed in one batch with the test's own.
        place_orders([placer.placement_request((lantern, 1), key="k-1")], connection)

    insert_rival(monkeypatch, service, "find_products_to_order", place_as_another_process_does)
    assert placer.place_items((lantern, 1), key="k-1").replayed
    assert Order.objects.count() == 1


def test_two_processes_with_the_same_keys_in_opposite_orders_do_not_wait_for_each_other(
    placer: OrderPlacer,
) -> None:
    lantern = placer.catalogue.add()
    for round_number in range(5):
        requests = [
            placer.placement_request((lantern, 1), key=f"{round_number}-{number}") for number in range(100)
        ]
        run_together(
            lambda: place_orders(requests, connection),  # noqa: B023
            lambda: place_orders(requests[::-1], connection),  # noqa: B023
        )
    assert Order.objects.count() == 500
