"""Orders that are locked, read and written with two round trips."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from foundation.shared_connection import shared_connection
from orders_app.document import OrderDocument
from orders_app.event_log.lock import lock_keys
from orders_app.exceptions import TransitionNotAllowed
from orders_app.models import Order
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER
from orders_app.services.locked_order import LockedOrder
from orders_app.services.locking import locked_order, locked_orders_in_two_trips
from orders_app.services.usual_answers import RECORDING
from orders_app.state_machine import OrderStatus, StockStatus
from tests.orders_app.ordering import (
    STAFF,
    OrderPlacer,
    answer,
    events,
    now,
    rejected,
    reserved,
    state,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("told", [reserved, rejected])
def test_a_usual_answer_needs_no_transaction_of_django(
    told: Callable[..., Any], placer: OrderPlacer, django_assert_num_queries: Callable[[int], Any]
) -> None:
    order = placer.place()
    with django_assert_num_queries(0):
        answer(told(order))
    assert now(order).stock_status == told.__name__


def test_an_unusual_answer_comes_before_a_usual_one_that_follows_it(placer: OrderPlacer) -> None:
    order, other = placer.place_reserved(), placer.place()
    answer(rejected(order), reserved(other), reserved(order))
    assert now(other).status == OrderStatus.PROCESSING
    # The rejection contradicts the order, so its stock was requested again; the last answer is about that.
    assert events(order)[2:] == ["order.reserve.requested", "order.confirmed"]
    assert now(order).stock_status == StockStatus.RESERVED


def change(*orders: OrderDocument, by: Callable[[LockedOrder], object]) -> None:
    """Confirms the stock of the orders, and does something more to the last of them."""
    order_ids = [order.id for order in orders]
    with locked_orders_in_two_trips(order_ids, STAFF, shared_connection(RECORDING)) as locked:
        for order_id in order_ids:
            locked[order_id].confirm_stock()
        by(locked[order_ids[-1]])


def test_an_exception_in_the_block_leaves_nothing_and_unlocks_the_orders(placer: OrderPlacer) -> None:
    order = placer.place()
    with pytest.raises(TransitionNotAllowed):
        change(order, by=lambda locked: locked.move_to(OrderStatus.PENDING))
    assert state(order) == (OrderStatus.PENDING, StockStatus.PENDING)
    with locked_order(order.id, STAFF) as locked:
        locked.cancel(CANCELLED_BY_CUSTOMER)
    assert now(order).status == OrderStatus.CANCELLED


def test_an_order_that_cannot_be_read_leaves_no_order_locked(placer: OrderPlacer) -> None:
    order, other = placer.place(), placer.place()
    Order.objects.filter(id=order.id).update(cancel_reason_code="CHANGED_BY_HAND")
    with pytest.raises(ValueError, match="CHANGED_BY_HAND"):
        answer(reserved(other), reserved(order))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key",
            [lock_keys([order.id, other.id])],
        )
        assert cursor.fetchall() == [(True,), (True,)]


def test_a_write_that_is_refused_leaves_nothing_and_unlocks_the_orders(placer: OrderPlacer) -> None:
    order, other = placer.place(), placer.place()
    with pytest.raises(DataError):
        change(other, order, by=lambda locked: locked.edit(shipping_address=None, tracking_number="x" * 101))
    assert state(other) == state(order) == (OrderStatus.PENDING, StockStatus.PENDING)
    answer(reserved(order), reserved(other))
    assert state(other) == state(order) == (OrderStatus.PROCESSING, StockStatus.RESERVED)
