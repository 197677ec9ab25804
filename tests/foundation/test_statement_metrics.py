"""How long PostgreSQL takes is observed: for each statement, and once for those sent together."""

import pytest
from django.db import DatabaseError, connection
from prometheus_client import REGISTRY

from foundation.round_trips import one_round_trip
from foundation.shared_connection import shared_connection

pytestmark = pytest.mark.django_db(transaction=True)


def observed() -> float:
    return REGISTRY.get_sample_value("stockbridge_postgresql_statement_seconds_count") or 0


def test_each_statement_is_observed_one_that_fails_included() -> None:
    before = observed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(DatabaseError):
            cursor.execute("SELECT 1 / 0")
    assert observed() == before + 2


def test_statements_that_are_sent_together_are_one() -> None:
    database = shared_connection("tests")
    database.ensure_connection()
    before = observed()
    with database.cursor() as cursor, one_round_trip(database):
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 2")
    assert observed() == before + 1
    database.close()


def test_statements_are_observed_after_a_wrapper_of_others_has_ended() -> None:
    connection.close()
    with connection.execute_wrapper(lambda execute, *arguments: execute(*arguments)):
        connection.ensure_connection()
    before = observed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert observed() == before + 1
