"""Readers of the log wait for open transactions of its own database alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from orders_app import event_log
from orders_app.event_log import START
from orders_app.event_log.horizon import HORIZON
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)

WRITE = "CREATE TABLE IF NOT EXISTS of_a_neighbour (number int); INSERT INTO of_a_neighbour VALUES (1)"
ONLY_AN_ID = "SELECT pg_current_xact_id()"
APPEND = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT order_id, 2, type, user_id, data, actor, trace_parent, created_at FROM order_event WHERE id = %s
"""
_HORIZON_OF = "SELECT order_log_horizon(%s::pg_snapshot)::text"


def session(database: str = "", **changes: str) -> psycopg.Connection:
    """A session of somebody else, who commits at the end of a transaction only."""
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "user", "password") if parameters.get(name)}
    return psycopg.connect(**wanted | {"dbname": database or parameters["dbname"]} | changes)


@contextmanager
def open_transaction(statement: str, database: str = "", **changes: str) -> Iterator[psycopg.Connection]:
    with session(database, **changes) as somebody:
        for each in statement.split(";"):
            somebody.execute(each)
        yield somebody
        somebody.rollback()


def current_snapshot() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def horizon_of(snapshot: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_HORIZON_OF, [snapshot])
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("statement", [WRITE, ONLY_AN_ID], ids=["writes", "has an id"])
def test_an_open_transaction_of_another_database_holds_nobody_up(placer: OrderPlacer, statement: str) -> None:
    with open_transaction(statement, "postgres"):
        order = placer.place()
        [event] = event_log.read_after(START, 10)
        assert (event.order_id, event.version) == (order.id, 1)
        assert event_log.read_user_after(placer.user_id, START, 10) == [event]
        assert event_log.end_position() == event.position == event_log.last_position()
        assert event_log.held_back() is None


def test_one_of_this_database_does_and_is_named(placer: OrderPlacer) -> None:
    with (
        open_transaction(ONLY_AN_ID, "postgres"),
        open_transaction(ONLY_AN_ID, application_name="psql of sam") as sam,
    ):
        placer.place()
        assert event_log.read_after(START, 10) == []
        assert event_log.end_position() == START
        held = event_log.held_back()
        assert held
        assert 0 <= held.seconds < 60
        assert f"process {sam.info.backend_pid}" in held.transaction
        assert "'psql of sam'" in held.transaction
    assert len(event_log.read_after(START, 10)) == 1
    assert event_log.held_back() is None


def test_a_reader_without_special_rights_knows_other_databases_too(placer: OrderPlacer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS plain_reader")
        cursor.execute("CREATE ROLE plain_reader LOGIN PASSWORD 'plain'")
        cursor.execute("GRANT SELECT ON order_event TO plain_reader")
    try:
        with open_transaction(WRITE, "postgres"), session(user="plain_reader", password="plain") as reader:
            placer.place()
            count = f"SELECT count(*) FROM order_event WHERE tx < {HORIZON}"
            assert reader.execute(count).fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY plain_reader")
            cursor.execute("DROP ROLE plain_reader")


def test_the_horizon_does_not_move_back_when_a_transaction_ends_after_the_snapshot(
    placer: OrderPlacer,
) -> None:
    with open_transaction(WRITE, "postgres"):
        placer.place()
        snapshot = current_snapshot()
        before = horizon_of(snapshot)
    assert horizon_of(snapshot) == before == int(snapshot.split(":")[1])


def test_events_that_were_committed_after_the_snapshot_hold_the_horizon(placer: OrderPlacer) -> None:
    placer.place()
    [first] = event_log.read_after(START, 10)
    with session() as writer:
        [(writer_id,)] = writer.execute("SELECT pg_current_xact_id()::text").fetchall()
        placer.place()
        snapshot = current_snapshot()
        assert horizon_of(snapshot) == int(writer_id) > first.tx
        writer.execute(APPEND, [first.id])
        writer.commit()
    assert horizon_of(snapshot) == int(writer_id)
    assert horizon_of(current_snapshot()) > int(writer_id)
    assert [event.version for event in event_log.read_after(START, 10)] == [1, 2, 1]
