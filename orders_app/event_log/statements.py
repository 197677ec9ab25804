"""How statements about the order log are run: for their rows, or for as long as they take."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper


def rows_of(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    """The rows that this statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def without_time_limit() -> Iterator[CursorWrapper]:
    """A cursor whose statements, each a transaction of its own, may take as long as they need."""
    with connection.cursor() as cursor:
        cursor.execute("SET transaction_timeout = 0")
        try:
            yield cursor
        finally:
            cursor.execute("RESET transaction_timeout")
