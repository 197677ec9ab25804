"""The figures of a row: measured in several runs, shown as median and spread next to the raw client's."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from msgspec import Struct


class MeasurementFailed(Exception):
    """A count in a database or on the broker differs from the measured one, or a step took too long."""


def figure(label: str, unit: str, *, raw: str = "") -> Any:
    """A field of a result that is shown; `raw` names the field with the same run's raw figure."""
    return field(metadata={"label": label, "unit": unit, "raw": raw})


@dataclass(frozen=True)
class Options:
    """The options of a row: number of runs, full or small sizes, and those that a single row has.

    `sustained` is in seconds (0: the usual cases). `orders` is the size of the large shop (0: the usual one).
    `tell` shows what a row is doing.
    """

    runs: int
    quick: bool = False
    sustained: float = 0.0
    orders: int = 0
    tell: Callable[[str], None] = lambda _: None

    def size(self, full: int, small: int) -> int:
        """The full size, or the small one with --quick."""
        return small if self.quick else full

    def seconds(self, full: float, small: float) -> float:
        """The full time, or the short one with --quick."""
        return small if self.quick else full


@dataclass(frozen=True)
class Row:
    """One row: `measure` starts servers of its own and yields the case and the result of each run.

    `runs` is how often it is measured, unless the command line says otherwise. A row that is not usual runs
    only if it is named.
    """

    name: str
    sentence: str
    measure: Callable[[Options], Iterator[tuple[str, Any]]]
    runs: int = 3
    is_usual: bool = True


class Line(Struct, frozen=True):
    """One figure of a row over all runs; `ratio` is the median of the runs' own ratios."""

    row: str
    case: str
    figure: str
    unit: str
    runs: int
    median: float
    least: float
    most: float
    raw: float | None
    ratio: float | None


def lines_of(row: str, results: Iterable[tuple[str, Any]]) -> Iterator[Line]:
    """Every figure of every case, in the order of the first run."""
    by_case: defaultdict[str, list[Any]] = defaultdict(list)
    for case, result in results:
        by_case[case].append(result)
    for case, runs in by_case.items():
        for each in fields(runs[0]):
            if each.metadata:
                yield _line(row, case, each.name, each.metadata, runs)


def _line(row: str, case: str, name: str, meta: Any, runs: Sequence[Any]) -> Line:
    values = [float(getattr(run, name)) for run in runs]
    raws = [float(getattr(run, meta["raw"])) for run in runs] if meta["raw"] else []
    return Line(
        row=row,
        case=case,
        figure=meta["label"],
        unit=meta["unit"],
        runs=len(values),
        median=statistics.median(values),
        least=min(values),
        most=max(values),
        raw=statistics.median(raws) if raws else None,
        ratio=statistics.median(a / b for a, b in zip(values, raws, strict=True)) if raws else None,
    )


def percentile(values: Iterable[float], percent: float) -> float:
    """The least value with this percentage of all values at or below it; nan if there are none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[max(0, -(-int(len(ordered) * percent) // 100) - 1)]


def require_equal(what: str, found: object, expected: object) -> None:
    """Raises MeasurementFailed if a count differs."""
    if found != expected:
        raise MeasurementFailed(f"{what}: {found}, expected {expected}")
