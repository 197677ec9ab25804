"""The results of the runs: a table on the terminal, JSON for programs, rows in a document."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from devtools.document_tables import read_table, write_table
from devtools.faults.fault_table import Fault
from devtools.faults.run import Run

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
_BEGIN = "<!-- rows made by ./faults --write -->"


def rows_of(runs: Iterable[Run], faults: Mapping[str, Fault]) -> Iterator[tuple[str, ...]]:
    """One row for each fault, in the order of the runs."""
    for name, group in groupby(runs, attrgetter("strike")):
        of_fault = list(group)
        yield (
            name,
            faults[name].sentence,
            str(len(of_fault)),
            *(str(sum(getattr(run, figure) for run in of_fault)) for figure in _SUMMED),
            str(sum(run.count("lost") for run in of_fault)),
            str(sum(run.count("drift") for run in of_fault)),
            _recovery(of_fault),
        )


def describe_violations(run: Run) -> str:
    """Each violation of a run, and all evidence about the orders concerned."""
    head = f"{run.strike} --seed {run.seed}"
    lines = [
        f"{head}: {violation.kind}: {violation.subject} {violation.fact} ({law})"
        for law, violations in run.broken.items()
        for violation in violations
    ]
    return "\n".join([*lines, *run.trails])


def print_table(console: Console, rows: Iterable[Sequence[str]]) -> None:
    """All rows in one table, without the sentences."""
    table = Table(_COLUMNS[0], *_COLUMNS[2:])
    for name, _, *figures in rows:
        table.add_row(name, *figures)
    console.print(table)


def write_json(path: Path, runs: Sequence[Run]) -> None:
    """Every run with all its figures and violations."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(runs)))


def write_block(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Put these rows into the document's table; rows of other faults stay as they are."""
    table = {cells[0]: cells for cells in [*read_table(path, _BEGIN), *map(list, rows)]}
    write_table(path, _BEGIN, _COLUMNS, table.values())


def _recovery(runs: Sequence[Run]) -> str:
    seconds = [each for run in runs for each in run.recovery]
    return f"{statistics.median(seconds):.1f} s ({max(seconds):.1f} s)" if seconds else "never"
