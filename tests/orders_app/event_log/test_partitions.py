"""The partitions of the order log: by month, and an order is placed whether its month has one or not."""

from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from orders_app import event_log
from orders_app.event_log import START
from tests.orders_app.first_partition import let_first_partition_end

pytestmark = pytest.mark.django_db

INSERT = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
VALUES (%s, %s, 'order.created', 7, '{}', 'hand', '', now()) RETURNING tableoid::regclass::text
"""


def select(sql: str, *parameters: Any) -> Any:
    """The first column of the first row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def id_in(months: int) -> UUID:
    """The id of an order that is placed in the first second of the month that is so many months ahead."""
    least: UUID = select("SELECT order_id_from(order_log_month(%s) + interval '1 second')", months)
    return UUID(int=least.int + 7)


def insert(order_id: UUID, version: int = 1) -> str:
    """Appends an event of this order; returns its partition."""
    return str(select(INSERT, order_id, version))


def add_partition() -> str:
    return str(select("SELECT order_event_add_partition()"))


def test_this_month_and_the_next_have_a_partition_from_the_start() -> None:
    assert insert(id_in(0)) == insert(id_in(1)) != "order_event_default"


def test_partitions_are_added_month_by_month() -> None:
    added = [add_partition(), add_partition()]
    assert [insert(id_in(2)), insert(id_in(3))] == added
    assert added == [
        select("SELECT to_char(order_log_month(%s), '\"order_event_\"YYYY_MM')", n) for n in (2, 3)
    ]


def test_an_order_of_a_clock_that_is_ahead_is_taken_and_moves_to_its_month() -> None:
    early, far = id_in(2), id_in(30)
    assert insert(early) == insert(far) == "order_event_default"
    before = event_log.histories([early, far])
    added = add_partition()
    assert insert(early, 2) == added
    assert insert(far, 2) == "order_event_default"
    after = event_log.histories([early, far])
    assert [event for event in after if event.version == 1] == before
    with pytest.raises(DatabaseError, match="order_id_version_key"):
        insert(early, 1)


def test_after_a_time_without_new_partitions_they_go_on_with_the_next_month() -> None:
    let_first_partition_end(-5)
    late = id_in(0)
    assert insert(late) == "order_event_default"
    assert insert(id_in(1)) == "order_event_default"
    assert add_partition() == insert(id_in(1), 2)
    assert insert(late, 2) == "order_event_default"


@pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}"])
def test_every_partition_refuses_to_rewrite_the_log(statement: str) -> None:
    added = add_partition()
    partitions = [insert(id_in(months)) for months in (0, 2, 30)]
    assert partitions[1:] == [added, "order_event_default"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE archived PARTITION OF order_event_archive DEFAULT")
        cursor.execute("INSERT INTO order_event_archive SELECT * FROM order_event")
    for partition in (*partitions, "order_event", "order_event_archive"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            select(statement.format(partition))


def test_readers_see_the_events_of_all_partitions_in_the_log_s_order() -> None:
    add_partition()
    order_ids = [id_in(months) for months in (30, 0, 2, 1)]
    for order_id in order_ids:
        insert(order_id)
    # The events of this transaction cannot be read before it ends: by their order in the log, they can.
    read = select("SELECT array_agg(order_id ORDER BY tx, id) FROM order_event")
    assert read == order_ids
    assert event_log.read_after(START, 10) == []
