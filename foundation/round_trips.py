"""Several statements with one round trip to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import PipelineAborted

from foundation.metrics import POSTGRESQL_STATEMENT_SECONDS


@contextmanager
def one_round_trip(database: BaseDatabaseWrapper) -> Iterator[None]:
    """Send the statements of the block together; their cursors have the results when the block has ended.

    For a connection in autocommit, on which the block may begin a transaction or end one. After an error the
    statements behind it are not executed, and after any exception an open transaction is rolled back. Raises
    Django's database errors.
    """
    database.ensure_connection()
    with database.wrap_database_errors:
        try:
            with POSTGRESQL_STATEMENT_SECONDS.time(), database.connection.pipeline():
                yield
        except psycopg.Error as error:
            roll_back(database)
            raise _first(error) from None
        except BaseException:
            roll_back(database)
            raise


def roll_back(database: BaseDatabaseWrapper) -> None:
    """End an open transaction without its writes; a connection on which that fails is closed."""
    if database.connection is None:
        return
    try:
        database.connection.rollback()
    except psycopg.Error:
        database.close()


def _first(error: BaseException) -> BaseException:
    """The error of the statement that failed, not that of the statements behind it."""
    while isinstance(error, PipelineAborted) and error.__context__ is not None:
        error = error.__context__
    return error
