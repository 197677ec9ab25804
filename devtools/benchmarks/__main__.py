"""`./bench`: how fast the system is on this machine, beside the raw clients in the same run."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from devtools.benchmarks.figures import Effort, Line, NotAsPromised, Row, lines_of
from devtools.benchmarks.load import LoadFailed
from devtools.benchmarks.machine import describe_machine
from devtools.benchmarks.rows import ROWS
from devtools.benchmarks.table import print_table, write_block, write_json
from devtools.stack.errors import StackError

DESCRIPTION = """
Each row starts servers and processes of its own, warms up, and runs several times; the median and the spread
are printed, with the raw client's figure of the same runs and the ratio. Counts in the databases and on the
broker are compared with what was measured: exit code 1 where one differs. Measure on a machine with nothing
else to do.
"""
_PLAIN_WIDTH = 200

out = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def main() -> int:
    """Run what the command line asks for; the exit code."""
    options = _parser().parse_args()
    if options.list:
        for row in ROWS.values():
            out.print(f"{row.name:13} {row.sentence}{'' if row.is_usual else ' (only where it is named)'}")
        return 0
    effort = Effort(runs=options.runs, quick=options.quick, sustained=options.sustained or 0.0)
    machine, lines, is_sound = describe_machine(), list[Line](), True
    for row in _chosen(options):
        measured = list(_measure(row, effort))
        is_sound = is_sound and bool(measured)
        lines += measured
        # At once: what was measured is told however a long command ends.
        if options.json:
            write_json(options.json, machine, lines)
        if options.write:
            write_block(options.write, machine, lines)
    print_table(out, machine, lines)
    return 0 if is_sound else 1


def _chosen(options: argparse.Namespace) -> Sequence[Row]:
    usual = ["orders"] if options.sustained else [row.name for row in ROWS.values() if row.is_usual]
    return [ROWS[name] for name in options.names or options.row or usual]


def _measure(row: Row, effort: Effort) -> Iterator[Line]:
    """The row's lines; none where it failed, which is said."""
    started = time.monotonic()
    results = []
    try:
        with out.status(f"{row.name}: {row.sentence}") as status:
            for case, result in row.measure(effort):
                results.append((case, result))
                status.update(f"{row.name}: {len(results)} measured, the last one {case}")
    except (NotAsPromised, LoadFailed, StackError) as error:
        err.print(f"{row.name}: {error}")
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
    add("--sustained", metavar="SECONDS", type=float, help="orders: 16 clients for so long, nothing else")
    add("--runs", metavar="N", type=int, default=3, help="runs of a row (default 3)")
    add("--quick", action="store_true", help="small sizes: shows that the rows work, not how fast")
    add("--json", metavar="FILE", type=Path, help="write every figure there")
    add("--write", metavar="FILE", type=Path, help="put machine and table between the marks of this document")
    add("--list", action="store_true", help="say what rows there are, and end")
    return parser


def _row_name(text: str) -> str:
    if text not in ROWS:
        raise argparse.ArgumentTypeError(f"there is no row {text}: see --list")
    return text


if __name__ == "__main__":
    sys.exit(main())
