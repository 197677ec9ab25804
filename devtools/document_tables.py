"""Tables in Markdown, and the parts of documents that a command writes anew, each between two marks."""

from collections.abc import Iterable, Sequence
from pathlib import Path

_END_OF_ROWS = "<!-- end of the rows -->"
_HEAD_LINES = 3


def table_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)]


def write_between(path: Path, begin: str, end: str, lines: Iterable[str]) -> None:
    """Put these lines into the document, in place of what is between these marks."""
    before, _, rest = path.read_text().partition(begin)
    _, _, after = rest.partition(end)
    path.write_text("\n".join([before + begin, *lines, end + after]))


def write_table(path: Path, begin: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Put a table with these rows into the document, in place of the one after the mark `begin`."""
    write_between(path, begin, _END_OF_ROWS, table_of(columns, rows))


def read_table(path: Path, begin: str) -> list[list[str]]:
    """The rows of the document's table after the mark `begin`."""
    _, _, rest = path.read_text().partition(begin)
    return [_cells(line) for line in rest.partition(_END_OF_ROWS)[0].splitlines()[_HEAD_LINES:] if line]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
