"""The figures of drills: a row for each kind of victim."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from devtools.document_tables import write_table
from devtools.faults.cluster.drill import Drill, Kill

_COLUMNS = (
    "killed",
    "kills",
    "an order waits for its answer, at most",
    "six orders are reserved after",
    "their customer is told after",
)
_BEGIN = "<!-- rows made by ./faults --cluster --write -->"


def rows_of_kills(drills: Iterable[Drill]) -> Iterator[tuple[str, ...]]:
    """A row for each kind of victim: how many kills, and what customers saw of them."""
    by_kind = sorted((kill for drill in drills for kill in drill.kills), key=attrgetter("what"))
    for what, group in groupby(by_kind, attrgetter("what")):
        kills = list(group)
        yield (
            what,
            str(len(kills)),
            f"{max(kill.answered for kill in kills):.1f} s",
            _usual([kill.reserved for kill in kills]),
            _usual([kill.told for kill in kills]),
        )


def describe_kill(kill: Kill) -> str:
    """One kill as a line of the terminal."""
    return (
        f"{kill.name} ({kill.what}): answered within {kill.answered:.1f} s, "
        f"reserved after {kill.reserved:.1f} s, told after {kill.told:.1f} s"
    )


def print_kills(console: Console, drills: Sequence[Drill]) -> None:
    """All rows in one table."""
    table = Table(*_COLUMNS)
    for row in rows_of_kills(drills):
        table.add_row(*row)
    console.print(table)


def write_kills(path: Path, drills: Sequence[Drill]) -> None:
    """Put the rows into the table of this document."""
    write_table(path, _BEGIN, _COLUMNS, rows_of_kills(drills))


def _usual(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} s (at most {max(seconds):.1f} s)"
