"""`python -m devtools.matrix`: runs a part of the suite with each version that is supported."""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from devtools.document_tables import read_table, write_table
from devtools.matrix.environments import NotToBeHad, download_kafka, interpreter
from devtools.matrix.versions import KAFKA, PYTHON, Combination, combinations
from devtools.stack.spawn import PROJECT

_BEGIN = "<!-- rows made by python -m devtools.matrix --write -->"
_COLUMNS = ("Python", "Kafka", "what the tests said", "minutes", "tried")
_LAST_LINE = re.compile(r"\d+ (?:passed|failed|error)[^=]*?(?= in )")


@dataclass(frozen=True)
class Result:
    """What the tests said about a combination."""

    tried: Combination
    is_good: bool
    words: str
    seconds: float = 0.0

    @property
    def row(self) -> tuple[str, ...]:
        """As the table of docs/versions.md has it."""
        today = datetime.now(UTC).date().isoformat()
        return self.tried.python, self.tried.kafka, self.words, f"{self.seconds / 60:.1f}", today


def main() -> int:
    """Tries what the command line names; returns the exit code."""
    options = _parser().parse_args()
    chosen = [
        each
        for each in combinations()
        if each.python in (options.python or PYTHON) and each.kafka in (options.kafka or KAFKA)
    ]
    if options.list:
        print(*(each.name for each in chosen), sep="\n")
        return 0
    results = [_try(each) for each in chosen]
    if options.write:
        _write(options.write, results)
    return 0 if all(result.is_good for result in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m devtools.matrix", description=__doc__)
    parser.add_argument("--python", nargs="+", choices=PYTHON, help="only these (default: all)")
    parser.add_argument("--kafka", nargs="+", choices=KAFKA, help="only these (default: all)")
    parser.add_argument("--list", action="store_true", help="list what would be tried and exit")
    parser.add_argument("--write", metavar="FILE", type=Path, help="put the rows into this document's table")
    return parser


def _write(document: Path, results: Sequence[Result]) -> None:
    """Puts the rows into the table; rows of other combinations stay as they are."""
    rows = {(row[0], row[1]): row for row in read_table(document, _BEGIN)}
    rows |= {(result.tried.python, result.tried.kafka): list(result.row) for result in results}
    known = [(each.python, each.kafka) for each in combinations()]
    write_table(document, _BEGIN, _COLUMNS, [rows[each] for each in known if each in rows])


def _try(combination: Combination) -> Result:
    print(f"{combination.name} …", flush=True)
    try:
        python = interpreter(combination.python)
        download_kafka(combination.kafka, python)
    except NotToBeHad as error:
        result = Result(combination, False, f"not tried: {error}")
    else:
        result = _test(combination, python)
    print(f"{combination.name}: {result.words} ({result.seconds:.0f} s)", flush=True)
    return result


def _test(combination: Combination, python: Path) -> Result:
    began = time.monotonic()
    done = subprocess.run(
        [python, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *combination.tests],
        cwd=PROJECT,
        env=_environment() | {"KAFKA_VERSION": combination.kafka},
        capture_output=True,
        text=True,
        check=False,
    )
    is_good = done.returncode == 0
    if not is_good:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    return Result(combination, is_good, _last_words(done.stdout), time.monotonic() - began)


def _environment() -> dict[str, str]:
    """Ours, but with bytecode: the project's own modules are compiled once, not by each process."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _last_words(output: str) -> str:
    found: Sequence[str] = _LAST_LINE.findall(output)
    return found[-1].strip() if found else "no test was run"


if __name__ == "__main__":
    sys.exit(main())
