"""The order of the log under concurrent writers: no event is lost or out of order."""

import random
import time
from collections.abc import Callable
from itertools import groupby
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orders_app import event_data, event_log
from orders_app.document import OrderChanges, OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import START, LoggedEvent, NewEvent
from orders_app.services.change_order import update_order
from orders_app.services.locking import locked_order, locked_orders
from orders_app.state_machine import OrderStatus
from tests.concurrency import (
    a_transaction_waits_for_an_order,
    race,
    result_of,
    run_beside,
    run_together,
    start_beside,
)
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, move, reserved

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, CHANGES = 16, 12


def lock_row(order_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM orders_order WHERE id = %s FOR UPDATE", [order_id])


def lock_order(order_id: UUID) -> None:
    event_log.lock_orders([order_id])


def append_next_version(order_id: UUID) -> None:
    last = event_log.history(order_id)[-1]
    data = event_data.Changed("SB-TEST-0001", OrderChanges(updated_at=timezone.now()))
    event = NewEvent(
        order_id, last.version + 1, EventType.UPDATED, last.user_id, data, "service:test", "", timezone.now()
    )
    event_log.append([event])


@pytest.mark.parametrize(
    ("lock", "versions_in_the_log"), [(lock_row, [1, 3, 2]), (lock_order, [1, 2, 3])], ids=["rows", "orders"]
)
def test_only_locks_without_a_transaction_id_keep_versions_in_order(
    placer: OrderPlacer, lock: Callable[[UUID], None], versions_in_the_log: list[int]
) -> None:
    first, second = placer.place().id, placer.place().id
    with transaction.atomic():
        lock(first)
        run_beside(lambda: update_order(order_id=second, tracking_number="rival", origin=STAFF))
        lock(second)
        append_next_version(first)
        append_next_version(second)
    read = event_log.read_after(START, 10)
    assert [event.version for event in read if event.order_id == second] == versions_in_the_log


def test_a_batch_waits_for_an_open_change_and_follows_it(placer: OrderPlacer) -> None:
    first, second = placer.place(), placer.place()
    with locked_order(second.id, STAFF) as order:
        batch = start_beside(
            lambda: answer(reserved(first), reserved(second)), until=a_transaction_waits_for_an_order
        )
        order.edit(None, "T-1")
    result_of(batch)
    read = [event for event in event_log.read_after(START, 10) if event.order_id == second.id]
    assert [(event.version, event.type) for event in read] == [
        (1, "order.created"),
        (2, "order.updated"),
        (3, "order.confirmed"),
        (4, "order.status.changed"),
    ]


def test_orders_are_locked_in_the_order_of_their_ids(placer: OrderPlacer) -> None:
    orders = [placer.place().id for _ in range(6)]

    def change_all(order_ids: list[UUID]) -> None:
        for number in range(10):
            with locked_orders(order_ids, STAFF) as locked:
                for order in locked.values():
                    order.edit(None, f"T-{number}-{order_ids[0]}")

    run_together(lambda: change_all(orders), lambda: change_all(orders[::-1]))


def test_an_event_is_read_only_when_no_earlier_event_can_appear(placer: OrderPlacer) -> None:
    order, position = placer.place(), event_log.end_position()
    with transaction.atomic():
        append_next_version(order.id)
        later = run_beside(placer.place)
        assert run_beside(lambda: event_log.read_after(position, 10)) == []
        assert run_beside(event_log.end_position) == position
    read = [(event.order_id, event.version) for event in event_log.read_after(position, 10)]
    assert read == [(order.id, 2), (later.id, 1)]


def test_a_reader_beside_sixteen_writers_misses_nothing_and_keeps_the_order(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    shared = [placer.place().id for _ in range(5)]
    expected = len(shared) + WRITERS * CHANGES * 3

    def write(writer: int) -> None:
        choice = random.Random(writer)
        for number in range(CHANGES):
            placer.place_items((lantern, 1))
            with locked_orders(choice.sample(shared, 2), STAFF) as locked:
                for order in locked.values():
                    order.edit(None, f"T-{writer}-{number}")

    def read() -> list[LoggedEvent]:
        events: list[LoggedEvent] = []
        end = time.monotonic() + 45
        while len(events) < expected and time.monotonic() < end:
            events += event_log.read_after(events[-1].position if events else START, 7)
        return events

    events, *_ = run_together(read, *[lambda writer=writer: write(writer) for writer in range(WRITERS)])
    assert events is not None
    assert len({event.id for event in events}) == len(events) == expected
    for _, versions in groupby(
        sorted(events, key=lambda event: event.order_id), lambda event: event.order_id
    ):
        numbers = [event.version for event in versions]
        assert numbers == list(range(1, len(numbers) + 1))


def test_two_changes_in_one_transaction_are_refused_unless_locked_together(placer: OrderPlacer) -> None:
    first, second = placer.place(), placer.place()
    [refusal] = race(lambda: _change_both(first, second))
    assert isinstance(refusal, Exception)
    assert len(event_log.read_after(START, 10)) == 2


def _change_both(*orders: OrderDocument) -> None:
    with transaction.atomic():
        for order in orders:
            move(order, OrderStatus.PROCESSING)
