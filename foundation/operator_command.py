"""The base class of the commands that end by themselves: how they print tables and tell what is wrong."""

import getpass
import math
import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import InterfaceError, OperationalError
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from foundation.outage import DependencyUnavailable
from foundation.printable import printable, printable_lines


class OperatorCommand(BaseCommand):
    """A command that says in one line, with exit code 1, which server it needs and cannot reach."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. Raises CommandError, whose text is safe to print."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            raise CommandError(printable_lines(str(error)), returncode=error.returncode) from error
        except DependencyUnavailable as error:
            raise CommandError(printable_lines(str(error))) from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError(printable_lines(f"PostgreSQL is unavailable: {error}".strip())) from error


class Column(Struct, frozen=True):
    """A column of a table. On a terminal the one that `stretches` is cut to the width that the others leave.

    `on_terminal` is off for columns that only programs want; `is_number` puts a column to the right.
    """

    name: str
    stretches: bool = False
    is_number: bool = False
    on_terminal: bool = True


def write_table(out: OutputWrapper, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print one line a row: on a terminal within its width, elsewhere whole, with tabs between columns."""
    if out.isatty():
        Console(file=cast("IO[str]", out), highlight=False).print(_table(columns, rows))
        return
    for row in ([column.name for column in columns], *rows):
        out.write("\t".join(map(printable, row)))


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Table:
    shown = [index for index, column in enumerate(columns) if column.on_terminal]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in shown:
        # rich narrows columns that may wrap before others; the text in their cells does not wrap either.
        column = columns[index]
        table.add_column(
            column.name,
            no_wrap=not column.stretches,
            overflow="ellipsis",
            justify="right" if column.is_number else "left",
        )
    for row in rows:
        table.add_row(*(Text(printable(row[index]), no_wrap=True, overflow="ellipsis") for index in shown))
    return table


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how much is done on standard error, where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bars:
        task = bars.add_task(label, total=total)
        yield lambda done: bars.update(task, completed=done, description=f"{label}: {done:,}")


def operator_name() -> str:
    """The user who runs the command; in a container the user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def time_argument(text: str) -> datetime:
    """The type of an option that takes a time; one without a time zone is in UTC."""
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time such as 2026-11-22 or 2026-11-22T10:00:00Z") from None


def number_argument(least: int, what: str) -> Callable[[str], int]:
    """The type of an option that takes a whole number from `least` on, of `what`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise ArgumentTypeError(f"{text!r} is no whole number of {what}, {least} or more")
        return number

    return parse


def seconds_argument(text: str) -> float:
    """The type of an option that takes a time in seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ArgumentTypeError(f"{text!r} is no number of seconds, 0 or more")
    return seconds
