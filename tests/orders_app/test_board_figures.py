"""The figures of the board about orders."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from orders_app import board_figures
from orders_app.board_figures import (
    SLOT_SECONDS,
    SLOTS,
    Wait,
    Waiting,
    count_by_status,
    count_placed,
    count_waiting,
    recent_orders,
)
from orders_app.models import Order, Refund
from orders_app.services.change_order import cancel_order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app.ordering import STAFF, STAFF_REQUEST, OrderPlacer

CARD = PaymentMethod.CREDIT_CARD


def waiting() -> dict[Wait, int]:
    """How many wait of each kind, without those of which none does."""
    return {each.wait: each.count for each in count_waiting() if each.count}


def test_orders_are_counted_by_status(placer: OrderPlacer) -> None:
    placer.place()
    placer.place_and_move(OrderStatus.PROCESSING)
    placer.place_and_move(OrderStatus.PROCESSING)
    before = timezone.now()
    counts = count_by_status()
    assert dict(counts.orders) == {1: 1, 2: 2, 3: 0, 4: 0, 5: 0}
    assert abs(counts.as_of - before) < timedelta(seconds=5)


@pytest.mark.django_db
def test_without_orders_every_count_is_nothing() -> None:
    assert set(count_by_status().orders.values()) == {0}
    assert waiting() == {}
    assert set(count_placed(timezone.now()).orders) == {0}


def test_placed_orders_are_counted_by_slots_of_ten_seconds(placer: OrderPlacer) -> None:
    end = datetime.fromisoformat("2026-11-26T12:00:07+00:00")
    for seconds_before in (0, 3, 8, 597, 600):
        order = placer.place()
        Order.objects.filter(pk=order.id).update(created_at=end - timedelta(seconds=seconds_before))
    placed = count_placed(end)
    assert placed.first_slot * SLOT_SECONDS == end.timestamp() - 7 - (SLOTS - 1) * SLOT_SECONDS
    assert [(number, count) for number, count in enumerate(placed.orders) if count] == [
        (0, 1),
        (58, 1),
        (59, 2),
    ]


def test_each_kind_of_waiting_has_its_orders(placer: OrderPlacer) -> None:
    placer.place()
    placer.place_reserved(payment_method=CARD)
    for kind in (PaymentStatus.PENDING, PaymentStatus.FAILED):
        order = placer.place_reserved(payment_method=CARD)
        Order.objects.filter(pk=order.id).update(payment_attempts=1, payment_status=kind)
    placer.place_and_move(OrderStatus.PROCESSING)
    placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
    assert waiting() == {
        Wait.STOCK: 1,
        Wait.PAYMENT: 1,
        Wait.CHARGE: 1,
        Wait.FAILED: 1,
        Wait.SHIP: 1,
        Wait.DELIVERY: 1,
    }


def test_a_cancelled_order_waits_until_its_stock_is_given_back(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    cancel_order(order_id=order.id, reason=STAFF_REQUEST, origin=STAFF)
    assert waiting() == {Wait.RELEASE: 1}


def test_a_refund_waits_until_the_money_is_back(placer: OrderPlacer) -> None:
    order = placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
    asked = timezone.now() - timedelta(hours=1)
    for version, state in enumerate(Refund.State, start=10):
        Refund.objects.create(
            order_id=order.id, version=version, attempt=1, amount=1, state=state, requested_at=asked
        )
    (refunds,) = (each for each in count_waiting() if each.wait is Wait.REFUND)
    assert refunds == Waiting(Wait.REFUND, 1, asked)


def test_the_oldest_that_waits_is_told(placer: OrderPlacer) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    Order.objects.filter(pk=placer.place().id).update(created_at=long_ago)
    placer.place()
    assert Waiting(Wait.STOCK, 2, long_ago) in count_waiting()


def test_no_more_than_a_limit_are_counted(placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_figures, "COUNTED", 2)
    placer.place()
    assert [each.is_exact for each in count_waiting() if each.count] == [True]
    placer.place()
    placer.place()
    assert [(each.count, each.is_exact) for each in count_waiting() if each.count] == [(2, False)]


def test_the_newest_orders_come_first_with_their_items(placer: OrderPlacer) -> None:
    orders = [placer.place() for _ in range(3)]
    assert [order.pk for order in recent_orders()] == [order.id for order in reversed(orders)]
