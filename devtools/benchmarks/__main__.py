"""`./bench`: measures how fast the system is on this machine, next to the raw clients in the same run."""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from devtools.benchmarks.documents import write_documents
from devtools.benchmarks.figures import Line, MeasurementFailed, Options, Row, lines_of
from devtools.benchmarks.headline import HEADLINE_ROWS
from devtools.benchmarks.load import LoadFailed
from devtools.benchmarks.machine import describe_machine
from devtools.benchmarks.published import read_published, store_row
from devtools.benchmarks.rows import ROWS
from devtools.benchmarks.table import print_table, write_json
from devtools.stack.errors import StackError
from devtools.stack.spawn import PROJECT

DESCRIPTION = """
Each row starts servers and processes of its own, warms up, and runs several times. The command prints the
median and the spread, with the raw client's figure of the same runs and the ratio. It compares the measured
counts with those in the databases and on the broker: exit code 1 if one differs. Measure on an idle machine.
"""
_PLAIN_WIDTH = 200
_LEAST_ORDERS = 1_000
DOCUMENTS = PROJECT / "docs"

out = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def main() -> int:
    """Measures the rows that the command line names; returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.orders and [row.name for row in _chosen(arguments)] != ["growth"]:
        parser.error("--orders is for the row growth alone")
    if arguments.list:
        for row in ROWS.values():
            out.print(_listed(row))
        return 0
    if arguments.rewrite:
        write_documents(DOCUMENTS, read_published(DOCUMENTS))
        return 0
    machine, lines, is_complete = describe_machine(), list[Line](), True
    for row in _chosen(arguments):
        measured = list(_measure(row, arguments))
        is_complete = is_complete and bool(measured)
        lines += measured
        # After each row, so that a command that is ended early has written its results.
        if arguments.json:
            write_json(arguments.json, machine, lines)
        if arguments.write and measured:
            published = store_row(arguments.write, row.name, machine, measured, list(ROWS))
            write_documents(arguments.write, published)
    print_table(out, machine, lines)
    return 0 if is_complete else 1


def _listed(row: Row) -> str:
    when = "headline" if row.name in HEADLINE_ROWS else "usual" if row.is_usual else "if named"
    return f"{row.name:15}{row.runs:>2} runs  {when:10}{row.sentence}"


def _chosen(arguments: argparse.Namespace) -> Sequence[Row]:
    if names := arguments.names or arguments.row or (["orders"] if arguments.sustained else []):
        return [ROWS[name] for name in names]
    return [
        row for row in ROWS.values() if (row.name in HEADLINE_ROWS if arguments.headline else row.is_usual)
    ]


def _options(row: Row, arguments: argparse.Namespace, tell: Callable[[str], None]) -> Options:
    runs = arguments.runs or (1 if arguments.quick else row.runs)
    return Options(
        runs=runs,
        quick=arguments.quick,
        sustained=arguments.sustained or 0.0,
        orders=arguments.orders or 0,
        tell=tell,
    )


def _measure(row: Row, arguments: argparse.Namespace) -> Iterator[Line]:
    """The lines of a row; prints the error and gives none if the row failed."""
    started = time.monotonic()
    results = []
    try:
        with out.status(f"{row.name}: {row.sentence}") as status:

            def tell(what: str) -> None:
                status.update(f"{row.name}: {what}")

            for case, result in row.measure(_options(row, arguments, tell)):
                results.append((case, result))
                tell(f"{len(results)} measured, the last one {case}")
    except (MeasurementFailed, LoadFailed, StackError) as error:
        err.print(f"{row.name}: {error}")
        return
    except Exception:  # the other rows are measured all the same
        err.print(f"{row.name}: {traceback.format_exc()}")
        return
    out.print(f"{row.name}: done in {time.monotonic() - started:.0f} s")
    yield from lines_of(row.name, results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("./bench", description=DESCRIPTION)
    add = parser.add_argument
    add(
        "names",
        metavar="NAME",
        nargs="*",
        type=_row_name,
        help="only these rows (default: the usual ones; see --list)",
    )
    add("--row", metavar="NAME", nargs="+", type=_row_name, help="the same")
    add("--sustained", metavar="SECONDS", type=float, help="orders: only 16 clients, for this time")
    add(
        "--orders",
        metavar="N",
        type=_number_of_orders,
        help="growth: the orders of the large shop (default: 1,000,000)",
    )
    add("--headline", action="store_true", help="only the rows of the table of headline figures")
    add("--runs", metavar="N", type=int, help="runs of each row (default: what --list shows)")
    add("--quick", action="store_true", help="small sizes and one run, to check that the rows work")
    add("--json", metavar="FILE", type=Path, help="write every figure to this file")
    add(
        "--write",
        metavar="DIRECTORY",
        nargs="?",
        type=Path,
        const=DOCUMENTS,
        help="replace these rows' figures in the documents and the chart (default: docs)",
    )
    add("--rewrite", action="store_true", help="write the documents from the published figures and exit")
    add("--list", action="store_true", help="list the rows and exit")
    return parser


def _number_of_orders(text: str) -> int:
    if not text.isdecimal() or int(text) < _LEAST_ORDERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of orders, {_LEAST_ORDERS} or more")
    return int(text)


def _row_name(text: str) -> str:
    if text not in ROWS:
        raise argparse.ArgumentTypeError(f"there is no row {text}: see --list")
    return text


if __name__ == "__main__":
    sys.exit(main())
