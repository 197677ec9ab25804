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

_KILL_COLUMNS = (
    "killed",
    "kills",
    "an order waits for its answer, at most",
    "six orders are reserved after",
    "their customer is told after",
)
_DRILL_COLUMNS = (
    "drill",
    "kills",
    "under load for",
    "orders",
    "messages",
    "duplicates absorbed",
    "all work finished after",
    "lost",
    "drift",
)
KILLS, DRILLS = "<!-- kills of ./faults --cluster -->", "<!-- drills of ./faults --cluster -->"
"""After these marks a document has the two tables."""


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


def rows_of_drills(drills: Iterable[Drill]) -> Iterator[tuple[str, ...]]:
    """A row for each drill: what was done in it, and what was lost or has drifted."""
    for number, drill in enumerate(drills, start=1):
        yield (
            str(number),
            str(len(drill.kills)),
            f"{drill.load_seconds:.0f} s",
            *(str(figure) for figure in (drill.orders, drill.messages, drill.duplicates)),
            f"{drill.finish_seconds:.0f} s",
            str(drill.count("lost")),
            str(drill.count("drift")),
        )


def describe_kill(kill: Kill) -> str:
    """One kill as a line of the terminal."""
    return (
        f"{kill.name} ({kill.what}): answered within {kill.answered:.1f} s, "
        f"reserved after {kill.reserved:.1f} s, told after {kill.told:.1f} s"
    )


def print_drills(console: Console, drills: Sequence[Drill]) -> None:
    """A table of the drills, and one of their kills."""
    for columns, rows in ((_DRILL_COLUMNS, rows_of_drills(drills)), (_KILL_COLUMNS, rows_of_kills(drills))):
        table = Table(*columns)
        for row in rows:
            table.add_row(*row)
        console.print(table)


def write_drills(path: Path, drills: Sequence[Drill]) -> None:
    """Put the rows into the two tables of this document."""
    write_table(path, DRILLS, _DRILL_COLUMNS, rows_of_drills(drills))
    write_table(path, KILLS, _KILL_COLUMNS, rows_of_kills(drills))


def _usual(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} s (at most {max(seconds):.1f} s)"
