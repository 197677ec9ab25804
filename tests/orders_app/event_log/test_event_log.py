"""The log: positions, reading on, histories, and the fold of events into orders."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from uuid6 import uuid7

from orders_app import event_data, event_log
from orders_app.document import OrderChanges, OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import START, NewEvent, Position
from orders_app.event_log.position import _END
from orders_app.event_log.reader import _OLDEST_UNREAD, _READ_USER_AFTER
from orders_app.exceptions import BrokenHistory, LockedTooLate
from orders_app.fold import rebuild_order
from orders_app.models import OrderEvent
from orders_app.state_machine import OrderStatus
from tests.orders_app.ordering import OrderPlacer, last_event, move, now

pytestmark = pytest.mark.django_db(transaction=True)
FILL_THE_LOG = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT gen_random_uuid(), 1, type, user_id + number % 10, data, actor, trace_parent, created_at
FROM order_event, generate_series(1, 5000) AS number
"""


def new_event(order: OrderDocument, version: int) -> NewEvent:
    now = timezone.now()
    data = event_data.Changed(order.order_number, OrderChanges(updated_at=now))
    return NewEvent(order.id, version, EventType.UPDATED, int(order.user_id), data, "service:test", "", now)


def test_reading_in_slices_gives_every_event_once(placer: OrderPlacer) -> None:
    order = placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    other = placer.place()
    first = event_log.read_after(START, 3)
    rest = event_log.read_after(first[-1].position, 3)
    assert [(event.order_id, event.version) for event in [*first, *rest]] == [
        (order.id, 1),
        (order.id, 2),
        (order.id, 3),
        (other.id, 1),
    ]
    assert event_log.read_after(rest[-1].position, 3) == []


def test_events_of_one_transaction_keep_the_order_in_which_they_were_appended(
    placer: OrderPlacer,
) -> None:
    order = placer.place()
    position = event_log.end_position()
    event_log.append([new_event(order, version) for version in range(2, 40)])
    read = event_log.read_after(position, 100)
    assert [event.version for event in read] == list(range(2, 40))
    assert len({event.tx for event in read}) == 1


def test_reading_the_events_of_one_customer_leaves_out_others(placer: OrderPlacer) -> None:
    own = placer.place()
    event_log.append(
        [msgspec.structs.replace(new_event(own, 1), user_id=placer.user_id + 1, order_id=uuid4())]
    )
    assert len(event_log.read_after(START, 10)) == 2
    assert [event.order_id for event in event_log.read_user_after(placer.user_id, START, 10)] == [own.id]


def test_positions_are_compared_as_numbers(placer: OrderPlacer) -> None:
    order = placer.place()
    for version, tx in [(2, 9), (3, 10), (4, 100)]:
        OrderEvent.objects.create(
            order_id=order.id,
            version=version,
            type="order.payment",
            user_id=1,
            data={},
            actor="service:test",
            created_at=timezone.now(),
            tx=tx,
        )
    assert [event.version for event in event_log.read_after(START, 10)] == [2, 3, 4, 1]
    assert [event.version for event in event_log.read_after(Position(9, 2**62), 10)] == [3, 4, 1]


def test_the_next_event_follows_the_end_of_the_log(placer: OrderPlacer) -> None:
    assert event_log.end_position() == START
    placer.place()
    end = event_log.end_position()
    assert event_log.read_after(end, 10) == []
    following = placer.place()
    assert [event.order_id for event in event_log.read_after(end, 10)] == [following.id]


def test_an_event_is_found_by_its_id(placer: OrderPlacer) -> None:
    order = placer.place_and_move(OrderStatus.PROCESSING)
    event = last_event(order)
    assert event.event_id == f"{order.id}:2"
    assert event_log.find_position(event.event_id) == event.position


@pytest.mark.parametrize(
    "event_id", ["", "nonsense", "a:1", f"{UUID(int=7)}:1", f"{UUID(int=7)}:x", f"{UUID(int=7)}:{10**30}"]
)
def test_an_id_of_no_event_has_no_position(event_id: str) -> None:
    assert event_log.find_position(event_id) is None


def test_a_reader_continues_at_its_stored_position() -> None:
    assert event_log.stored_position("mailer") == START
    event_log.store_position("mailer", Position(2**40, 7))
    event_log.store_position("mailer", Position(2**40, 8))
    assert event_log.stored_position("mailer") == Position(2**40, 8)
    assert event_log.stored_position("other") == START


def test_the_age_of_the_oldest_unread_event_is_zero_after_reading(placer: OrderPlacer) -> None:
    order = placer.place()
    assert 0 < event_log.oldest_unread_age(START) < 60
    assert event_log.oldest_unread_age(last_event(order).position) == 0


@pytest.mark.parametrize("statement", ["UPDATE order_event SET actor = 'x'", "DELETE FROM order_event"])
def test_the_database_refuses_to_rewrite_the_log(placer: OrderPlacer, statement: str) -> None:
    order = placer.place()
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert len(event_log.history(order.id)) == 1


def test_a_version_is_in_the_log_only_once(placer: OrderPlacer) -> None:
    order = placer.place()
    with pytest.raises(DatabaseError, match="order_id_version_key"):
        event_log.append([new_event(order, 1)])


def test_an_event_placed_with_its_order_and_one_appended_alone_have_the_same_columns(
    placer: OrderPlacer,
) -> None:
    placed = placer.place()
    other = msgspec.structs.replace(placed, id=uuid7())
    data = event_data.Created(other.order_number, other)
    event_log.append([event_log.new_event(EventType.CREATED, data, other, placer.origin, other.created_at)])
    with_order, alone = event_log.read_after(START, 10)
    assert alone.data == with_order.data.replace(str(placed.id).encode(), str(other.id).encode())
    assert alone == msgspec.structs.replace(
        with_order, tx=alone.tx, id=alone.id, order_id=other.id, data=alone.data
    )
    assert OrderEvent.objects.count() == 2


def test_orders_are_not_locked_outside_a_transaction() -> None:
    with pytest.raises(LockedTooLate):
        event_log.lock_orders([uuid4()])


def test_orders_are_not_locked_after_the_first_write(placer: OrderPlacer) -> None:
    order = placer.place()
    with transaction.atomic():
        event_log.store_position("mailer", START)
        with pytest.raises(LockedTooLate):
            move(order, OrderStatus.PROCESSING)
    assert now(order) == order


def test_an_order_is_rebuilt_at_each_of_its_versions(placer: OrderPlacer) -> None:
    placed = placer.place()
    processing = move(placed, OrderStatus.PROCESSING)
    shipped = move(placed, OrderStatus.SHIPPED)
    history = event_log.history(placed.id)
    rebuilt = [rebuild_order(history[:version]) for version in (1, 2, 3)]
    assert rebuilt == [placed, processing, shipped]


def test_a_history_with_a_gap_is_not_folded(placer: OrderPlacer) -> None:
    order = placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    created, processing, shipped = event_log.history(order.id)
    for broken in (
        [],
        [processing],
        [created, shipped],
        [created, created],
        [created, processing, processing],
    ):
        with pytest.raises(BrokenHistory):
            rebuild_order(broken)


def explain(sql: str, parameters: Sequence[Any] = (), *, options: str = "") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {options} {sql}", parameters or None)
        return "\n".join(line for (line,) in cursor.fetchall())


def body_of(function: str) -> str:
    """The query of a function of the database, with its parameters as those of a prepared statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc, proargnames FROM pg_proc WHERE proname = %s", [function])
        source, names = cursor.fetchone()
    for number, name in enumerate(names, 1):
        source = re.sub(rf"\b{name}\b", f"${number}", source)
    return str(source).partition("RETURN QUERY")[2].partition(";")[0]


def test_reading_uses_the_indexes_of_positions_whatever_the_tables_hold(placer: OrderPlacer) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = explain(body_of("order_events_after"), options="(GENERIC_PLAN)")
    assert "Merge Append" in plan, plan
    assert plan.count("tx_id_idx on order_event_") == 2, plan
    assert "Seq Scan" not in plan.partition("Merge Append")[2], plan
    assert "Sort  (" not in plan, plan
    with connection.cursor() as cursor:
        cursor.execute("SELECT proconfig FROM pg_proc WHERE proname = 'order_events_after'")
        [settings] = cursor.fetchone()
    assert settings == ["plan_cache_mode=force_generic_plan", "enable_seqscan=off", "enable_sort=off"]


def test_the_other_reads_use_the_indexes_of_positions(placer: OrderPlacer) -> None:
    placer.place()
    with connection.cursor() as cursor:
        cursor.execute(FILL_THE_LOG)
        cursor.execute("ANALYZE order_event")
    # The events of one user are few: they may be sorted.
    assert "user_id_tx_id_idx" in explain(_READ_USER_AFTER, [placer.user_id, "700", 5000, 200])
    for sql, parameters in [(_END, []), (_OLDEST_UNREAD, ["700", 5000])]:
        plan = explain(sql, parameters)
        assert re.search("Index.* using order_event_.*_tx_id_idx on", plan), plan
        assert "Sort  (" not in plan, plan
