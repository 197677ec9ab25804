"""Reads the rows of a table in CSV, as it was exported or as a spreadsheet saved it."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec import Struct

from foundation.refusals import Kind, Refusal
from products_app.services.catalogue_table.cells import (
    BYTE_ORDER_MARK,
    COLUMNS,
    ID,
    NOT_UTF8,
    SKU,
    is_utf8,
    with_formula,
)

DELIMITERS = ",;\t"
"""Spreadsheets of many countries save with semicolons."""
MAX_CELL_CHARACTERS = 16_000_000
"""A document of MongoDB has no longer text."""

csv.field_size_limit(MAX_CELL_CHARACTERS)


class TableUnreadable(Refusal):
    """The file is no table of products."""

    kind = Kind.INVALID
    code = "table_unreadable"


class Row(Struct, frozen=True):
    """A row: the line of the file that it begins on, and its cells by column."""

    line: int
    cells: dict[str, str]


class RowFault(Struct, frozen=True):
    """What is wrong with a row; `column` is empty where that is the row as a whole."""

    line: int
    column: str
    code: str
    detail: str


def read_rows(lines: Iterable[str]) -> Iterator[Row | RowFault]:
    """The rows below the header; rows without any text are passed over. Raises TableUnreadable.

    The lines must have their ends as in the file.
    """
    remaining = iter(lines)
    header_line = next(remaining, "").removeprefix(BYTE_ORDER_MARK)
    if not is_utf8(header_line):
        raise TableUnreadable(NOT_UTF8)
    delimiter = max(DELIMITERS, key=header_line.count)
    reader = csv.reader(chain([header_line], remaining), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise TableUnreadable(f"The first line is no CSV: {error}.") from error
    _check_header(header)
    line = reader.line_num + 1
    try:
        for cells in reader:
            if any(cells):
                yield _row(line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield RowFault(line, "", "unreadable", f"From here on the file is no CSV: {error}.")


def _check_header(header: Sequence[str]) -> None:
    """Raise TableUnreadable where the columns are not those of products."""
    known = ", ".join(COLUMNS)
    if unknown := [name for name in header if name not in COLUMNS]:
        raise TableUnreadable(f"There is no column {unknown[0]!r}. The columns are: {known}.")
    if repeated := [name for name in header if header.count(name) > 1]:
        raise TableUnreadable(f"The column {repeated[0]} is there twice.")
    if not {ID, SKU} & set(header):
        raise TableUnreadable(f"The first line names the columns: {ID} or {SKU}, and others of {known}.")


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row | RowFault:
    if len(cells) != len(header):
        detail = f"The row has {len(cells)} cells, the first line {len(header)}."
        return RowFault(line, "", "cells", detail)
    return Row(line, {name: with_formula(cell) for name, cell in zip(header, cells, strict=True)})
