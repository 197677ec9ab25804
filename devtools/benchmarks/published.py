"""The published figures: each row as it was measured last, kept as JSON beside the documents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from devtools.benchmarks.figures import Line

_FILE = "performance-figures.json"


class Key(NamedTuple):
    """What identifies a figure: row, case, and the words with which its label begins."""

    row: str
    case: str
    figure: str

    def is_of(self, line: Line) -> bool:
        """Whether the line has this figure."""
        return line.row == self.row and line.case == self.case and line.figure.startswith(self.figure)


class MeasuredRow(Struct, frozen=True):
    """The lines of a row, when they were measured, and on which machine."""

    measured: str
    machine: Mapping[str, str]
    lines: Sequence[Line]


class Published(Struct, frozen=True):
    """All rows by name, in the order in which they are shown."""

    rows: dict[str, MeasuredRow]

    def find(self, key: Key) -> Line | None:
        """The line with this key; None if it has not been measured."""
        lines = self.rows[key.row].lines if key.row in self.rows else ()
        return next((line for line in lines if key.is_of(line)), None)


def read_published(directory: Path) -> Published:
    """What this directory has; no rows if it has none."""
    path = directory / _FILE
    return msgspec.json.decode(path.read_bytes(), type=Published) if path.exists() else Published({})


def store_row(
    directory: Path, row: str, machine: Mapping[str, str], lines: Sequence[Line], order: Sequence[str]
) -> Published:
    """Replaces the figures of a row; returns all, in this order."""
    measured = MeasuredRow(
        measured=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine,
        lines=lines,
    )
    rows = {**read_published(directory).rows, row: measured}
    published = Published({name: rows[name] for name in order if name in rows})
    (directory / _FILE).write_bytes(msgspec.json.format(msgspec.json.encode(published)) + b"\n")
    return published
