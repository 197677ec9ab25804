"""Whoever writes the log rings for its readers, and not before what was written can be read."""

import pytest
from django.db import transaction

from orders_app import event_log, log_bell
from orders_app.services.change_order import change_status
from orders_app.state_machine import OrderStatus
from tests.foundation.listening import SHORT, is_woken
from tests.orders_app.ordering import STAFF, Desk

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_placed_order_rings(desk: Desk) -> None:
    with log_bell.listen() as listener:
        order = desk.place()
        assert is_woken(listener)
        assert [event.order_id for event in event_log.read_after(event_log.START, 9)] == [order.id]


def test_a_change_rings_when_it_is_committed(desk: Desk) -> None:
    order = desk.place()
    end = event_log.end_position()
    with log_bell.listen() as listener:
        with transaction.atomic():
            change_status(order_id=order.id, new_status=OrderStatus.PROCESSING, origin=STAFF)
            assert not is_woken(listener, SHORT)
        assert is_woken(listener)
        assert event_log.read_after(end, 9)


def test_what_is_rolled_back_does_not_ring(desk: Desk) -> None:
    order = desk.place()
    with log_bell.listen() as listener:
        with transaction.atomic():
            change_status(order_id=order.id, new_status=OrderStatus.PROCESSING, origin=STAFF)
            transaction.set_rollback(True)
        assert not is_woken(listener, SHORT)
