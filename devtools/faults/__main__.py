"""`./faults`: runs load on a system, injects faults, and checks whether the laws hold."""

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

from devtools.faults.cluster.drill import Drill, run_drill
from devtools.faults.cluster.report import describe_kill, print_drills, write_drills
from devtools.faults.cluster.system import open_cluster
from devtools.faults.fault_table import DOWN_SECONDS, LONG_DOWN_SECONDS, Fault, all_faults
from devtools.faults.report import describe_violations, print_table, rows_of, write_block, write_json
from devtools.faults.run import Run, run_with_faults
from devtools.faults.system import System, open_system

DESCRIPTION = """
Starts a whole system of its own, on which customers, staff, a service and a faulty external service work;
injects faults meanwhile, waits until all work is finished, and checks from outside that nothing was lost and
no stock has drifted. Exit code 1 if anything was lost or has drifted.
"""
_PLAIN_WIDTH = 200

out = Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
err = Console(highlight=False, markup=False, soft_wrap=True, stderr=True)


def main() -> int:
    """Runs the faults that the command line names; returns the exit code."""
    options = _parser().parse_args()
    faults = all_faults(down=LONG_DOWN_SECONDS if options.long else DOWN_SECONDS)
    if options.list:
        for fault in faults.values():
            out.print(f"{fault.name:44} {fault.sentence}")
        return 0
    directory = Path(tempfile.mkdtemp(prefix="stockbridge-faults-"))
    runs = _drill(directory, options) if options.cluster else _inject(faults, directory, options)
    if any(run.broken for run in runs):
        err.print(f"the system's logs and data are in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


def _inject(faults: Mapping[str, Fault], directory: Path, options: argparse.Namespace) -> Sequence[Run]:
    chosen = [faults[name] for name in options.strike or faults]
    runs: list[Run] = []
    for of_fault in _run_all(chosen, directory, options):
        # After each fault, so that a command that is ended early has written its results.
        runs += of_fault
        _write(runs, faults, options)
    print_table(out, rows_of(runs, faults))
    return runs


def _drill(directory: Path, options: argparse.Namespace) -> Sequence[Run]:
    """Drills on one cluster."""
    out.print(f"starting three brokers, three members of MongoDB and three hosts in {directory}")
    drills: list[Drill] = []
    with open_cluster(directory) as cluster:
        for seed in _seeds(options):
            drills.append(run_drill(cluster, seed=seed, tell=lambda kill: out.print(describe_kill(kill))))
            _tell(drills[-1])
    print_drills(out, drills)
    if options.json:
        write_json(options.json, drills)
    if options.write:
        write_drills(options.write, drills)
    return drills


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("./faults", description=DESCRIPTION)
    add, names = parser.add_argument, list(all_faults())
    long = f"servers stay down for {LONG_DOWN_SECONDS:.0f} s, not {DOWN_SECONDS:.0f} s"
    what = parser.add_mutually_exclusive_group()
    only = "only these (default: all; see --list)"
    what.add_argument("--strike", metavar="NAME", nargs="+", choices=names, help=only)
    drill = "the drill past one machine instead: three brokers, three members of MongoDB, three hosts"
    what.add_argument("--cluster", action="store_true", help=drill)
    add(
        "--seconds",
        metavar="N",
        type=float,
        default=6.0,
        help="seconds of load in a run, at least (default 6)",
    )
    add("--rounds", metavar="N", type=int, default=1, help="runs of each fault, or drills (default 1)")
    add("--seed", metavar="S", type=int, help="seed of a fault's first run; each further run adds 1")
    add("--long", action="store_true", help=long)
    add("--json", metavar="FILE", type=Path, help="write every run with its figures to this file")
    add("--write", metavar="FILE", type=Path, help="put the rows into the table of this document")
    add("--list", action="store_true", help="list the faults and exit")
    return parser


def _run_all(faults: Sequence[Fault], directory: Path, options: argparse.Namespace) -> Iterator[list[Run]]:
    """The runs of one fault after another; faults that need the same number of brokers share a system."""
    seeds = _seeds(options)
    by_brokers = groupby(sorted(faults, key=attrgetter("brokers")), attrgetter("brokers"))
    for brokers, group in by_brokers:
        out.print(f"starting a system, Kafka on {brokers}, in {directory}")
        with open_system(directory / f"brokers-{brokers}", brokers=brokers) as system:
            for fault in group:
                yield [_run(system, fault, options.seconds, seed) for seed in seeds]


def _seeds(options: argparse.Namespace) -> range:
    """The seeds of the rounds."""
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    return range(first, first + options.rounds)


def _run(system: System, fault: Fault, seconds: float, seed: int) -> Run:
    run = run_with_faults(system, [fault], seconds=seconds, seed=seed)
    _tell(run)
    return run


def _tell(run: Run) -> None:
    figures = [f"{run.orders} orders", f"{run.messages} messages"]
    if run.recovery:
        figures.append(f"recovered in {', '.join(f'{each:.1f}' for each in run.recovery)} s")
    verdict = "BROKEN" if run.broken else "all laws hold"
    out.print(f"{run.strike} --seed {run.seed}: {', '.join(figures)}: {verdict}")
    if run.broken:
        err.print(describe_violations(run))


def _write(runs: Sequence[Run], faults: Mapping[str, Fault], options: argparse.Namespace) -> None:
    if options.json:
        write_json(options.json, runs)
    if options.write:
        write_block(options.write, rows_of(runs, faults))


if __name__ == "__main__":
    sys.exit(main())
