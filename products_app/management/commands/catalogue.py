"""`manage.py catalogue`."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand, progress_bar
from foundation.printable import printable
from products_app.api.catalogue_table import read_cell
from products_app.exceptions import CatalogueUnavailable
from products_app.services.catalogue_table.export import count_products, export_catalogue
from products_app.services.catalogue_table.importing import ImportReport, import_catalogue
from products_app.services.catalogue_table.rows import RowFault, TableUnreadable

ACTOR = "service:catalogue"
NOT_DONE = 2
STREAM = "-"


class Command(OperatorCommand):
    """Writes the catalogue as a table, and reads such a table."""

    help = (
        "export: write every product as a row of CSV. import: create and change products by such rows: a row "
        "with the id or SKU of a product changes it, another one with an SKU creates one; columns that are "
        "left out keep their values. A row with faults is left out, and named with its line. Importing a "
        "file again changes nothing more. Exit code 0 where every row was right, 1 where some had faults, 2 "
        "where the file or MongoDB cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `import` and `export`."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="{import,export}")
        reading = actions.add_parser("import", help="create and change products by a file")
        reading.add_argument("file", help=f"a file in CSV, UTF-8; {STREAM} for standard input")
        reading.add_argument("--dry-run", action="store_true", help="change nothing, only report")
        writing = actions.add_parser("export", help="write every product to a file")
        writing.add_argument(
            "file", nargs="?", default=STREAM, help=f"the file; {STREAM}, the default, for standard output"
        )

    def handle(self, *, action: str, file: str, **options: Any) -> None:
        """Import or export. Raises CommandError."""
        try:
            if action == "import":
                self._import(file, dry_run=options["dry_run"])
            else:
                self._export(file)
        except CatalogueUnavailable as error:
            message = f"MongoDB (MONGODB_URI) cannot be reached: {error}"
            raise CommandError(message, returncode=NOT_DONE) from error
        except (OSError, TableUnreadable) as error:
            raise CommandError(f"{file}: {error}", returncode=NOT_DONE) from error

    def _import(self, file: str, *, dry_run: bool) -> None:
        with _opened(file, "rb") as binary, progress_bar("Rows imported", None) as progress:
            lines = TextIOWrapper(binary, encoding="utf-8", newline="", errors="surrogateescape")
            report = import_catalogue(
                lines, read_cell=read_cell, actor=ACTOR, dry_run=dry_run, progress=progress
            )
        for fault in report.faults:
            self.stdout.write(printable(_line(fault)))
        self.stdout.write(_summary(report, dry_run=dry_run))
        if report.faults:
            raise CommandError(f"{report.rows_with_faults} rows have faults.")

    def _export(self, file: str) -> None:
        with _opened(file, "wb") as binary, progress_bar("Products exported", count_products()) as progress:
            out = TextIOWrapper(binary, encoding="utf-8", newline="", errors="replace")
            exported = export_catalogue(cast("TextIO", out), progress)
            out.flush()
            out.detach()
        self.stderr.write(f"{exported.products} products exported.")
        if exported.unreadable:
            left_out = f"{exported.unreadable} products cannot be read and were left out"
            raise CommandError(f"{left_out}: see manage.py check_catalogue.")


@contextmanager
def _opened(file: str, mode: str) -> Iterator[BinaryIO]:
    """The file, or the standard stream, which stays open."""
    if file == STREAM:
        yield sys.stdin.buffer if mode == "rb" else sys.stdout.buffer
        return
    with Path(file).open(mode) as opened:
        yield cast("BinaryIO", opened)


def _line(fault: RowFault) -> str:
    where = f"line {fault.line}, {fault.column}" if fault.column else f"line {fault.line}"
    return f"{where}: {fault.detail} ({fault.code})"


def _summary(report: ImportReport, *, dry_run: bool) -> str:
    mood = "would be " if dry_run else ""
    return (
        f"{report.rows} rows: {report.created} {mood}created, {report.changed} {mood}changed, "
        f"{report.unchanged} unchanged, {report.rows_with_faults} with faults."
    )
