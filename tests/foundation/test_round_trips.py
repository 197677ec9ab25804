"""Several statements with one round trip: all results, or the error of the one that failed and no writes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from foundation.round_trips import one_round_trip
from foundation.shared_connection import shared_connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database() -> Iterator[BaseDatabaseWrapper]:
    shared = shared_connection("tests")
    yield shared
    shared.close()


def execute(database: BaseDatabaseWrapper, *statements: str) -> None:
    with database.cursor() as cursor, one_round_trip(database):
        for statement in statements:
            cursor.execute(statement)


def answer(database: BaseDatabaseWrapper, statement: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_each_cursor_has_its_rows_when_the_block_has_ended(database: BaseDatabaseWrapper) -> None:
    with database.cursor() as first, database.cursor() as second:
        with one_round_trip(database):
            first.execute("SELECT %s::int", [1])
            second.execute("SELECT %s::int", [2])
        assert (first.fetchall(), second.fetchall()) == ([(1,)], [(2,)])


def test_the_error_is_that_of_the_statement_that_failed_and_its_transaction_ends(
    database: BaseDatabaseWrapper,
) -> None:
    with pytest.raises(DataError):
        execute(database, "BEGIN", "CREATE TABLE written (number int)", "SELECT 1 / 0", "SELECT 2", "COMMIT")
    assert answer(database, "SELECT to_regclass('written')") is None
    assert answer(database, "SELECT pg_current_xact_id_if_assigned() IS NULL") is True


def test_a_block_that_raises_leaves_no_transaction(database: BaseDatabaseWrapper) -> None:
    def begin_and_raise() -> None:
        with database.cursor() as cursor, one_round_trip(database):
            cursor.execute("BEGIN")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        begin_and_raise()
    assert database.connection.info.transaction_status == TransactionStatus.IDLE


def test_a_lost_connection_is_an_outage_and_is_opened_again(database: BaseDatabaseWrapper) -> None:
    pid = answer(database, "SELECT pg_backend_pid()")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 20000)", [pid])
    with pytest.raises(OperationalError):
        execute(database, "BEGIN", "SELECT 1")
    assert answer(shared_connection("tests"), "SELECT 1") == 1
