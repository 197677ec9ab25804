"""The orders that a feed remembers: the same messages as from their histories, without reading those."""

from collections.abc import Callable
from typing import Any

import pytest

from orders_app import event_log
from orders_app.event_log import LoggedEvent
from orders_app.sockets import recent_orders
from orders_app.sockets.recent_orders import RecentOrders
from orders_app.sockets.socket_messages import socket_messages
from tests.orders_app.ordering import OrderPlacer, answer, reserved

pytestmark = pytest.mark.django_db(transaction=True)
CountQueries = Callable[[int], Any]


@pytest.fixture
def events(placer: OrderPlacer) -> list[LoggedEvent]:
    """Those of two orders whose stock is reserved."""
    orders = [placer.place(), placer.place()]
    for order in orders:
        answer(reserved(order))
    return sorted(event_log.histories([order.id for order in orders]), key=lambda event: event.position)


def test_an_order_whose_events_were_told_one_after_the_other_is_not_read(
    events: list[LoggedEvent], django_assert_num_queries: CountQueries
) -> None:
    recent = RecentOrders()
    with django_assert_num_queries(0):
        told = [message for event in events for message in socket_messages([event], recent)]
    assert told == [message for event in events for message in socket_messages([event], RecentOrders())]


@pytest.mark.parametrize("again", [0, 1, 2])
def test_events_that_are_told_again_have_the_same_messages(events: list[LoggedEvent], again: int) -> None:
    recent = RecentOrders()
    socket_messages(events, recent)
    assert socket_messages(events[again:], recent) == socket_messages(events, RecentOrders())[again:]


def test_an_order_that_was_forgotten_is_read(
    events: list[LoggedEvent], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: CountQueries
) -> None:
    monkeypatch.setattr(recent_orders, "MAX_ORDERS", 1)
    recent = RecentOrders()
    first, second, *later = events
    assert first.order_id != second.order_id
    socket_messages([first, second], recent)
    with django_assert_num_queries(1):
        messages = socket_messages(later, recent)
    assert messages == socket_messages(later, RecentOrders())


def test_an_order_that_is_remembered_for_long_is_read_again(
    events: list[LoggedEvent], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: CountQueries
) -> None:
    """Its address may have been erased meanwhile."""
    monkeypatch.setattr(recent_orders, "MAX_SECONDS", 0.0)
    recent = RecentOrders()
    socket_messages(events[:2], recent)
    with django_assert_num_queries(1):
        socket_messages(events[2:], recent)
