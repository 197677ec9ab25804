"""Counting a long list in bounded time: exactly up to a limit, beyond it by an estimate."""

import json
from typing import Any, NamedTuple, Protocol, runtime_checkable

from django.db.models import QuerySet

EXACT_ROWS = 10_000
"""So far lists are counted exactly; counting a million rows takes 70 ms."""


class Count(NamedTuple):
    """How many rows there are; where there are more than EXACT_ROWS, about how many."""

    rows: int
    is_exact: bool


@runtime_checkable
class CountsItself(Protocol):
    """Rows of another store, which count themselves as `bounded_count` does."""

    def bounded_count(self, limit: int) -> Count:
        """Their number, exact up to `limit`."""


def bounded_count(rows: Any, limit: int | None = None) -> Count:
    """How many rows a query set, a list or CountsItself has, exact up to `limit` (EXACT_ROWS).

    Raises the errors of the store.
    """
    limit = limit or EXACT_ROWS
    if isinstance(rows, CountsItself):
        return rows.bounded_count(limit)
    if not isinstance(rows, QuerySet):
        return Count(len(rows), is_exact=True)
    counted = rows.order_by()[: limit + 1].count()
    if counted <= limit:
        return Count(counted, is_exact=True)
    return Count(max(counted, _planned_rows(rows)), is_exact=False)


def _planned_rows(rows: "QuerySet[Any]") -> int:
    """How many rows PostgreSQL expects, by its statistics."""
    plan: dict[str, Any] = json.loads(rows.order_by().values("pk").explain(format="json"))[0]["Plan"]
    return int(plan["Plan Rows"])
