"""Which orders figures are about, and how they are read: all of an answer in one snapshot of the database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from orders_app.analytics.periods import Period

PART_ROWS = 2_000
Row = tuple[Any, ...]


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


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read inside was true at one moment, whatever the projection or a rebuild does meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
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
