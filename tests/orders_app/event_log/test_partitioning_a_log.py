"""Migration 0009 turns the log of an installation into partitions while orders are placed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from tests.python_process import run_python

INSERT = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
VALUES (%s, 1, 'order.created', 7, '{"orderNumber": "SB-AAAA-BBBB"}', 'hand', '', now())
"""
OF_A_CLOCK_AHEAD = UUID("03000000-0000-7000-8000-000000000000")
HISTORY = "SELECT id, order_id, version, tx::text FROM {} ORDER BY order_id"


@pytest.fixture
def old_installation(postgresql: str) -> Iterator[str]:
    """The URL of a database with the migrations before 0009."""
    url = urlsplit(postgresql)._replace(path="/old_installation").geturl()
    with psycopg.connect(postgresql, autocommit=True) as server:
        server.execute("CREATE DATABASE old_installation")
        try:
            migrate(url, "0008")
            yield url
        finally:
            server.execute("DROP DATABASE old_installation WITH (FORCE)")


def migrate(url: str, name: str) -> None:
    finished = run_python("manage.py", "migrate", "orders_app", name, DATABASE_URL=url)
    assert finished.returncode == 0, finished.stderr


@contextmanager
def placing(url: str) -> Iterator[list[UUID]]:
    """Orders are placed one after the other; those that were committed."""
    placed: list[UUID] = []
    stop = threading.Event()

    def place() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                order_id = UUID(int=0x019ABC << 104 | len(placed))
                connection.execute(INSERT, [order_id])
                placed.append(order_id)

    thread = threading.Thread(target=place)
    thread.start()
    try:
        yield placed
    finally:
        stop.set()
        thread.join()


def test_a_log_becomes_partitions_while_orders_are_placed(old_installation: str) -> None:
    with psycopg.connect(old_installation, autocommit=True) as connection:
        connection.execute(INSERT, [OF_A_CLOCK_AHEAD])
        connection.execute("GRANT SELECT ON order_event TO pg_monitor")
        before = connection.execute(HISTORY.format("order_event")).fetchall()
        with placing(old_installation) as placed:
            migrate(old_installation, "0009")
        after = connection.execute(HISTORY.format("order_history")).fetchall()
        assert [row for row in after if row in before] == before
        assert [row[1] for row in after] == [*placed, OF_A_CLOCK_AHEAD]
        assert len({row[0] for row in after}) == len(after)
        partition = connection.execute(
            "SELECT tableoid::regclass::text FROM order_event WHERE order_id = %s", [OF_A_CLOCK_AHEAD]
        )
        assert partition.fetchall() == [("order_event_default",)]
        for table in ("order_event", "order_event_archive", "order_history"):
            granted = connection.execute("SELECT has_table_privilege('pg_monitor', %s, 'SELECT')", [table])
            assert granted.fetchall() == [(True,)], table
        # A run that was interrupted before it was recorded.
        connection.execute("DELETE FROM django_migrations WHERE name = '0009_partitions_of_the_log'")
        migrate(old_installation, "0009")
        assert connection.execute(HISTORY.format("order_history")).fetchall() == after
