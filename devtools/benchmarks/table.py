"""The results: a table on the terminal, JSON for programs, cells for the tables of documents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from devtools.benchmarks.figures import Line

COLUMNS = ("case", "figure", "median", "least to most", "runs", "raw", "ratio")


def print_table(console: Console, machine: Mapping[str, str], lines: Iterable[Line]) -> None:
    """Prints the machine, and all lines in one table."""
    for name, value in machine.items():
        console.print(f"{name}: {value}")
    table = Table("row", *COLUMNS)
    for line in lines:
        table.add_row(line.row, *cells(line))
    console.print(table)


def write_json(path: Path, machine: Mapping[str, str], lines: Sequence[Line]) -> None:
    """Writes the machine and every line."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": machine, "lines": lines})))


def cells(line: Line) -> Iterator[str]:
    """What the table shows of a line, but for its row."""
    yield line.case
    yield line.figure
    yield f"{number(line.median)} {line.unit}".strip()
    yield from beside_median(line)


def beside_median(line: Line) -> Iterator[str]:
    """The cells after the median: spread, runs, raw figure, ratio."""
    yield f"{number(line.least)} to {number(line.most)}"
    yield str(line.runs)
    yield "" if line.raw is None else number(line.raw)
    yield "" if line.ratio is None else f"{line.ratio:.2f}"


def number(value: float) -> str:
    """The value with about three significant digits."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"
