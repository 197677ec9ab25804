"""What a dashboard is made of, in the words of this project; `grafana.py` makes Grafana's JSON of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

RATE = "$__rate_interval"
"""The time over which a rate is taken: Grafana makes it long enough for the distance of the scrapes."""


class Unit(StrEnum):
    """The units of values, by Grafana's names."""

    COUNT = "short"
    PER_SECOND = "ops"
    SECONDS = "s"
    SHARE = "percentunit"


class Kind(StrEnum):
    """How the values of a panel are shown."""

    LINES = "timeseries"
    NUMBER = "stat"
    TABLE = "table"


@dataclass(frozen=True)
class Query:
    """An expression of Prometheus, and the name of its series; `{{label}}` stands for the label's value."""

    expression: str
    name: str


@dataclass(frozen=True)
class Panel:
    """A chart, number or table. `description` tells what is seen and what is bad.

    A number is red from `bad_from` on, and where it is less than `bad_below`.
    """

    title: str
    description: str
    unit: Unit
    queries: Sequence[Query]
    kind: Kind = Kind.LINES
    bad_from: float | None = None
    bad_below: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels side by side under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """A page of Grafana; `name` is that of its file, and part of its address."""

    name: str
    title: str
    description: str
    rows: Sequence[Row]

    @property
    def panels(self) -> list[Panel]:
        """All panels, from the top."""
        return [panel for row in self.rows for panel in row.panels]


def lines(title: str, description: str, unit: Unit, *queries: tuple[str, str]) -> Panel:
    """A chart of these series, each an expression and its name."""
    return Panel(title, description, unit, [Query(*query) for query in queries])


def number(
    title: str,
    description: str,
    unit: Unit,
    expression: str,
    *,
    bad_from: float | None = None,
    bad_below: float | None = None,
) -> Panel:
    """One number, as it is now, and its course behind it."""
    return Panel(
        title,
        description,
        unit,
        [Query(expression, title)],
        Kind.NUMBER,
        bad_from=bad_from,
        bad_below=bad_below,
    )


def table(title: str, description: str, unit: Unit, expression: str) -> Panel:
    """The series of an expression as they are now, with their labels as columns."""
    return Panel(title, description, unit, [Query(expression, title)], Kind.TABLE)


def rate(metric: str, *labels: str, only: str = "") -> str:
    """How many a second, by these labels; `only` chooses series."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"sum{by}(rate({metric}{only}[{RATE}]))"


def quantile(share: float, metric: str, *labels: str, only: str = "") -> str:
    """The value of a histogram below which this share of the observations is, by these labels."""
    by = ", ".join(("le", *labels))
    return f"histogram_quantile({share}, sum by ({by})(rate({metric}_bucket{only}[{RATE}])))"


def quantiles(metric: str, *, only: str = "") -> list[tuple[str, str]]:
    """The series of p50, p95 and p99 of a histogram, for a chart."""
    return [(quantile(share, metric, only=only), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)]


def or_0(expression: str) -> str:
    """The expression, or 0 where there is no such series: what never happened is not counted."""
    return f"{expression} or vector(0)"
