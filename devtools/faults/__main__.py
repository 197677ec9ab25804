"""`./faults`: use the system, strike it, and see whether the laws hold."""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from rich.console import Console

from devtools.faults.arena import Arena, open_arena
from devtools.faults.report import account_of, print_table, rows_of, write_block, write_json
from devtools.faults.strikes import DOWN_SECONDS, LONG_DOWN_SECONDS, Strike, all_strikes
from devtools.faults.trial import Run, run_trial

DESCRIPTION = """
Starts a whole system of its own, lets customers, staff, a service and a bad neighbour use it, strikes it
meanwhile, waits until it is quiet, and checks from outside that nothing was lost and no stock has drifted.
Exit code 1 where anything was.
"""
_PLAIN_WIDTH = 200

out = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def main() -> int:
    """Run what the command line asks for; the exit code."""
    options = _parser().parse_args()
    strikes = all_strikes(down=LONG_DOWN_SECONDS if options.long else DOWN_SECONDS)
    if options.list:
        for strike in strikes.values():
            out.print(f"{strike.name:44} {strike.sentence}")
        return 0
    chosen = [strikes[name] for name in options.strike or strikes]
    directory = Path(tempfile.mkdtemp(prefix="stockbridge-faults-"))
    runs: list[Run] = []
    for of_strike in _run_all(chosen, directory, options):
        # At once: what was run is told however a long command ends.
        runs += of_strike
        _write(runs, strikes, options)
    print_table(out, rows_of(runs, strikes))
    if any(run.broken for run in runs):
        err.print(f"the system's logs and data are in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("./faults", description=DESCRIPTION)
    add, names = parser.add_argument, list(all_strikes())
    away = f"servers stay away for {LONG_DOWN_SECONDS:.0f} s, not {DOWN_SECONDS:.0f} s"
    add("--strike", metavar="NAME", nargs="+", choices=names, help="only these (default: all; see --list)")
    add("--seconds", metavar="N", type=float, default=6.0, help="load of a run, at least (default 6)")
    add("--rounds", metavar="N", type=int, default=1, help="runs a strike (default 1)")
    add("--seed", metavar="S", type=int, help="seed of a strike's first run; the next have those that follow")
    add("--long", action="store_true", help=away)
    add("--json", metavar="FILE", type=Path, help="write every run with its figures there")
    add("--write", metavar="FILE", type=Path, help="put the rows into the table of this document")
    add("--list", action="store_true", help="say what strikes there are, and end")
    return parser


def _run_all(strikes: Sequence[Strike], directory: Path, options: argparse.Namespace) -> Iterator[list[Run]]:
    """The runs of one strike after another; those that need the same brokers share a system."""
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    by_brokers = groupby(sorted(strikes, key=attrgetter("brokers")), attrgetter("brokers"))
    for brokers, group in by_brokers:
        out.print(f"starting a system, Kafka on {brokers}, in {directory}")
        with open_arena(directory / f"brokers-{brokers}", brokers=brokers) as arena:
            for strike in group:
                seeds = range(first, first + options.rounds)
                yield [_run(arena, strike, options.seconds, seed) for seed in seeds]


def _run(arena: Arena, strike: Strike, seconds: float, seed: int) -> Run:
    run = run_trial(arena, [strike], seconds=seconds, seed=seed)
    recovery = ", ".join(f"{each:.1f}" for each in run.recovery)
    told = f"{run.orders} orders, {run.messages} messages, recovered in {recovery} s"
    out.print(f"{strike.name} --seed {seed}: {told}: {'BROKEN' if run.broken else 'all laws hold'}")
    if run.broken:
        err.print(account_of(run))
    return run


def _write(runs: Sequence[Run], strikes: Mapping[str, Strike], options: argparse.Namespace) -> None:
    if options.json:
        write_json(options.json, runs)
    if options.write:
        write_block(options.write, rows_of(runs, strikes))


if __name__ == "__main__":
    sys.exit(main())
