"""What came of the runs: a table for people, JSON for programs, rows in a document for readers."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from devtools.faults.strikes import Strike
from devtools.faults.trial import Run

_COLUMNS = (
    "strike",
    "what happens",
    "runs",
    "hits",
    "orders",
    "messages",
    "duplicates absorbed",
    "lost",
    "drift",
    "time to recover, median (longest)",
)
_SUMMED = ("hits", "orders", "messages", "duplicates")
_HEAD_LINES = 3
_BEGIN, _END = "<!-- rows made by ./faults --write -->", "<!-- end of the rows -->"


def rows_of(runs: Iterable[Run], strikes: Mapping[str, Strike]) -> Iterator[tuple[str, ...]]:
    """One row a strike, in the order of the runs."""
    for name, group in groupby(runs, attrgetter("strike")):
        of_strike = list(group)
        yield (
            name,
            strikes[name].sentence,
            str(len(of_strike)),
            *(str(sum(getattr(run, figure) for run in of_strike)) for figure in _SUMMED),
            str(sum(run.count("lost") for run in of_strike)),
            str(sum(run.count("drift") for run in of_strike)),
            _recovery(of_strike),
        )


def account_of(run: Run) -> str:
    """Everything needed to find out what went wrong: each violation, and all there is about its order."""
    head = f"{run.strike} --seed {run.seed}"
    told = [
        f"{head}: {violation.kind}: {violation.subject} {violation.fact} ({law})"
        for law, violations in run.broken.items()
        for violation in violations
    ]
    return "\n".join([*told, *run.trails])


def print_table(console: Console, rows: Iterable[Sequence[str]]) -> None:
    """All rows under one head, without the sentences."""
    table = Table(_COLUMNS[0], *_COLUMNS[2:])
    for name, _, *figures in rows:
        table.add_row(name, *figures)
    console.print(table)


def write_json(path: Path, runs: Sequence[Run]) -> None:
    """Every run with all its figures and violations."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(runs)))


def write_block(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Put these rows into the document's table; rows of other strikes stay as they are."""
    before, _, rest = path.read_text().partition(_BEGIN)
    block, _, after = rest.partition(_END)
    kept = [_cells(line) for line in block.splitlines()[_HEAD_LINES:] if line]
    table = {cells[0]: cells for cells in [*kept, *map(list, rows)]}
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS)), *map(_line, table.values())]
    path.write_text("\n".join([before + _BEGIN, *lines, _END + after]))


def _recovery(runs: Sequence[Run]) -> str:
    seconds = [each for run in runs for each in run.recovery]
    return f"{statistics.median(seconds):.1f} s ({max(seconds):.1f} s)" if seconds else "never"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
