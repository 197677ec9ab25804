"""The figures of analytics as CSV files. They tell no time of making: the same figures are the same bytes."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import FileResponse
from msgspec import Struct, to_builtins

from orders_app.analytics.figures import Summary
from orders_app.analytics.periods import Period
from web.csv_files import csv_file

OF_THE_MOMENT = ("asOf", "lagSeconds")


def figures_file(name: str, period: Period, kind: type[Struct], figures: Iterable[Struct]) -> FileResponse:
    """A table with a column for each field of these figures, which are all of one kind."""
    rows = ([*_plain(each).values()] for each in figures)
    return csv_file(_file_name(name, period), kind.__struct_encode_fields__, rows)


def summary_file(name: str, period: Period, summary: Summary) -> FileResponse:
    """A table of one row; of the figures by status and by payment method each is a column."""
    columns = dict(_columns(summary))
    return csv_file(_file_name(name, period), [*columns], [[*columns.values()]])


def _columns(summary: Summary) -> Iterator[tuple[str, object]]:
    for name, value in _plain(summary).items():
        if name not in OF_THE_MOMENT and not isinstance(value, list):
            yield name, value
    for by_status in summary.by_status:
        yield f"orders {by_status.label}", by_status.orders
    for by_method in summary.by_payment_method:
        yield f"orders {by_method.label}", by_method.orders
        yield f"revenue {by_method.label}", by_method.revenue


def _plain(figures: Struct) -> Mapping[str, Any]:
    """The fields as JSON has them, except amounts, which are numbers in CSV."""
    plain: Mapping[str, Any] = to_builtins(figures, builtin_types=(Decimal,))
    return plain


def _file_name(name: str, period: Period) -> str:
    first = period.start.astimezone(period.zone).date()
    last = (period.end - timedelta.resolution).astimezone(period.zone).date()
    return f"{name}-{first}-{last}.csv"
