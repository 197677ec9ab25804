"""An order that is not paid in time releases its stock once, and no other order does."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from devtools.driver.shop import eventually
from devtools.stack.server import Server
from orders_app import event_data, event_effects, event_log, hold_expiry
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.exceptions import OrderNotPayable
from orders_app.models import Order
from orders_app.selectors import orders_awaiting_payment
from orders_app.services.change_order import mark_paid, update_order
from orders_app.services.expire_holds import HOLD_EXPIRED, expire_holds
from orders_app.services.locking import locked_order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.concurrency import (
    a_transaction_waits_for_an_order,
    insert_rival,
    race,
    result_of,
    run_together,
    running,
    start_beside,
)
from tests.database import in_test_database
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, events, move, now, reserved

pytestmark = pytest.mark.django_db(transaction=True)
HOLD = timedelta(minutes=30)
CANCELLED = ["order.status.changed", "order.cancelled"]


def place(
    placer: OrderPlacer, age: timedelta, method: PaymentMethod = PaymentMethod.CREDIT_CARD
) -> OrderDocument:
    """Places an order, as if it had been placed this long ago."""
    order = placer.place(method)
    Order.objects.filter(pk=order.id).update(created_at=timezone.now() - age)
    return order


def overdue(placer: OrderPlacer) -> OrderDocument:
    return place(placer, HOLD + timedelta(seconds=1))


def expire_once() -> str:
    out = StringIO()
    call_command("expire_holds", "--once", stdout=out)
    return out.getvalue()


def pay(order: OrderDocument) -> object:
    return mark_paid(order_id=order.id, origin=STAFF)


def expire(order: OrderDocument) -> object:
    return expire_holds(order_ids=[order.id], origin=STAFF)


def test_an_unpaid_order_is_cancelled_with_a_reason_and_releases_its_stock(placer: OrderPlacer) -> None:
    order = overdue(placer)
    answer(reserved(order))
    assert "1 orders cancelled" in expire_once()
    assert now(order).status == OrderStatus.CANCELLED
    assert now(order).cancel_reason == HOLD_EXPIRED
    last = event_log.history(order.id)[-1]
    data = event_effects.decode(EventType.CANCELLED, last.data)
    assert isinstance(data, event_data.Cancelled)
    assert data.release_stock
    assert last.actor == "service:expiry"


def test_an_order_expires_once(placer: OrderPlacer) -> None:
    order = overdue(placer)
    expire_once()
    assert "0 orders cancelled" in expire_once()
    assert events(order) == CANCELLED


def test_an_order_whose_payment_failed_expires_too(placer: OrderPlacer) -> None:
    order = overdue(placer)
    Order.objects.filter(pk=order.id).update(payment_status=PaymentStatus.FAILED)
    expire_once()
    assert now(order).status == OrderStatus.CANCELLED


@pytest.mark.parametrize(
    ("age", "method"),
    [(HOLD - timedelta(seconds=20), PaymentMethod.STRIPE), (HOLD * 9, PaymentMethod.CASH_ON_DELIVERY)],
    ids=["younger than the hold", "paid on delivery"],
)
def test_an_order_without_a_due_payment_is_not_changed(
    placer: OrderPlacer, age: timedelta, method: PaymentMethod
) -> None:
    order = place(placer, age, method)
    expire_once()
    assert events(order) == []


def test_an_order_with_nothing_to_pay_is_not_cancelled(placer: OrderPlacer) -> None:
    free = placer.place_free(PaymentMethod.STRIPE)
    Order.objects.filter(pk=free.id).update(created_at=timezone.now() - HOLD * 9)
    expire_once()
    assert expire(free) == set()
    assert events(free) == []


def test_an_order_that_is_paid_or_processing_is_not_changed(placer: OrderPlacer) -> None:
    paid, moved = overdue(placer), overdue(placer)
    pay(paid)
    move(moved, OrderStatus.PROCESSING)
    expire_once()
    assert now(paid).status == OrderStatus.PENDING
    assert now(moved).status == OrderStatus.PROCESSING


def test_hold_minutes_sets_the_time(placer: OrderPlacer, settings: Settings) -> None:
    order = overdue(placer)
    settings.HOLD_MINUTES = 31
    expire_once()
    assert events(order) == []


def test_an_order_paid_between_being_found_and_being_locked_is_kept(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = overdue(placer)

    insert_rival(monkeypatch, hold_expiry, "expire_holds", partial(pay, order))
    assert "0 orders cancelled" in expire_once()
    assert now(order).payment_status == PaymentStatus.PAID
    assert now(order).status == OrderStatus.PENDING


def test_a_payment_while_the_hold_expires_is_refused(placer: OrderPlacer) -> None:
    order = overdue(placer)
    with locked_order(order.id, STAFF) as locked:
        payment = start_beside(partial(pay, order), until=a_transaction_waits_for_an_order)
        locked.cancel(HOLD_EXPIRED)
    with pytest.raises(OrderNotPayable):
        result_of(payment)
    assert now(order).payment_status == PaymentStatus.PENDING


def test_an_expiry_during_the_payment_changes_nothing(placer: OrderPlacer) -> None:
    order = overdue(placer)
    with locked_order(order.id, STAFF) as locked:
        expiry = start_beside(partial(expire, order), until=a_transaction_waits_for_an_order)
        locked.mark_paid()
    assert result_of(expiry) == set()
    assert now(order).status == OrderStatus.PENDING


def test_of_a_concurrent_payment_and_expiry_one_wins(placer: OrderPlacer) -> None:
    orders = [overdue(placer) for _ in range(6)]
    for order in orders:
        race(partial(pay, order), partial(expire, order))
    for order in orders:
        after = now(order)
        paid = after.payment_status == PaymentStatus.PAID
        assert (after.status == OrderStatus.CANCELLED) != paid
        assert events(order) == (["order.payment"] if paid else CANCELLED)


def test_two_workers_expire_each_order_once(placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_expiry, "BATCH_ORDERS", 3)
    orders = [overdue(placer) for _ in range(10)]
    counts = run_together(*[lambda: hold_expiry.expire_due(threading.Event())] * 2)
    assert sum(counts) == len(orders)
    assert [events(order) for order in orders] == [CANCELLED] * len(orders)


def test_an_order_that_cannot_be_cancelled_stops_no_other(placer: OrderPlacer) -> None:
    broken, others = overdue(placer), [overdue(placer) for _ in range(3)]
    update_order(order_id=broken.id, tracking_number="T-1", origin=STAFF)
    Order.objects.filter(pk=broken.id).update(version=1)  # its next version is in the log already
    assert "3 orders cancelled" in expire_once()
    assert [now(order).status for order in others] == [OrderStatus.CANCELLED] * 3
    assert now(broken).status == OrderStatus.PENDING


def test_expired_holds_are_found_by_their_own_index(placer: OrderPlacer) -> None:
    overdue(placer)
    found = orders_awaiting_payment(HOLD).values_list("pk", flat=True)[:200]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = found.explain()
        cursor.execute("RESET enable_seqscan")
    assert "order_awaits_money" in plan


def test_the_worker_waits_in_an_outage_of_postgresql(placer: OrderPlacer, postgres_server: Server) -> None:
    orders = [overdue(placer), overdue(placer)]
    late = orders.pop()
    Order.objects.filter(pk=late.id).update(payment_method=PaymentMethod.CASH_ON_DELIVERY)
    with running(hold_expiry.run):
        eventually(lambda: events(orders[0]) == CANCELLED, "the first order expired")
        connection.close()
        postgres_server.stop()
        postgres_server.start()
        Order.objects.filter(pk=late.id).update(payment_method=PaymentMethod.STRIPE)
        eventually(lambda: events(late) == CANCELLED, "an order expired after the outage")


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[Any]]:
    """`expire_holds` as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "expire_holds", *arguments], env=in_test_database()
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_command_runs_until_sigterm(placer: OrderPlacer) -> None:
    order = overdue(placer)
    with command() as process:
        eventually(lambda: events(order) == CANCELLED, "the order expired", seconds=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
