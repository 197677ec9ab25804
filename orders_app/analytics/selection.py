"""Which orders figures are about, and how they are read: all of an answer in one snapshot of the database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from foundation.refusals import Kind, Refusal
from orders_app.analytics.periods import Period

PART_ROWS = 2_000
LONGEST_MILLISECONDS = 30_000
"""For how long one query may run: less than transactions may last."""
Row = tuple[Any, ...]


class TooManyOrders(Refusal):
    """The period has so many orders that a query takes too long."""

    code = "too_many_orders"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("The period has too many orders for this figure: ask for a shorter one.")


class Selection(NamedTuple):
    """The orders placed in a period, in one currency, or in any where it is None."""

    period: Period
    currency: str | None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that all queries have."""
        return {"start": self.period.start, "end": self.period.end, "currency": self.currency}

    @property
    def asked(self) -> dict[str, Any]:
        """The fields of `figures.Asked`."""
        start, end, zone = self.period
        return {"start": start, "end": end, "tz": zone.key, "currency": self.currency}


_is_open = ContextVar("a snapshot is open", default=False)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read inside was true at one moment, whatever the worker or a rebuild does meanwhile.

    Inside another one it is that one. Raises TooManyOrders where a query takes longer than
    LONGEST_MILLISECONDS.
    """
    if _is_open.get():
        yield
        return
    token = _is_open.set(True)
    try:
        with _new_snapshot():
            yield
    finally:
        _is_open.reset(token)


@contextmanager
def _new_snapshot() -> Iterator[None]:
    try:
        with _read_only_transaction():
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooManyOrders from error
        raise


@contextmanager
def _read_only_transaction() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_MILLISECONDS}")
        # Before the snapshot, which the first query takes: views that are switched in between would show
        # tables whose last rows came after it.
        cursor.execute("LOCK TABLE analytics_order, analytics_line IN ACCESS SHARE MODE")
        yield


def read(sql: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: Sequence[Row] = cursor.fetchall()
    return rows


def read_in_parts(sql: str, parameters: Mapping[str, Any]) -> Iterator[Row]:
    """The same, for more rows than shall be in memory at once; inside a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while part := cursor.fetchmany(PART_ROWS):
            yield from part
