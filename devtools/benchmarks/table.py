"""The results: a table on the terminal, JSON for programs, a block in a document."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from devtools.benchmarks.figures import Line

_COLUMNS = ("row", "case", "figure", "median", "least to most", "runs", "raw", "ratio")
_BEGIN, _END = "<!-- made by ./bench --write -->", "<!-- end of what ./bench made -->"


def print_table(console: Console, machine: Mapping[str, str], lines: Iterable[Line]) -> None:
    """Prints the machine, and all lines in one table."""
    for name, value in machine.items():
        console.print(f"{name}: {value}")
    table = Table(*_COLUMNS)
    for line in lines:
        table.add_row(*_cells(line))
    console.print(table)


def write_json(path: Path, machine: Mapping[str, str], lines: Sequence[Line]) -> None:
    """Writes the machine and every line."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": machine, "lines": lines})))


def write_block(path: Path, machine: Mapping[str, str], lines: Iterable[Line]) -> None:
    """Writes machine and table between the document's marks, and replaces the old block."""
    before, _, rest = path.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    description = [f"- {name}: {value}" for name, value in machine.items()]
    rows = [_COLUMNS, ["---"] * len(_COLUMNS), *map(_cells, lines)]
    block = [
        before + _BEGIN,
        "",
        *description,
        "",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        _END + after,
    ]
    path.write_text("\n".join(block))


def _cells(line: Line) -> list[str]:
    return [
        line.row,
        line.case,
        line.figure,
        f"{_number(line.median)} {line.unit}".strip(),
        f"{_number(line.least)} to {_number(line.most)}",
        str(line.runs),
        "" if line.raw is None else _number(line.raw),
        "" if line.ratio is None else f"{line.ratio:.2f}",
    ]


def _number(value: float) -> str:
    """The value with about three significant digits."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"
