"""Programs for tests that are built with Go, where Go is there, and kept in `.cache`."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.stack.spawn import PROJECT

CACHE = PROJECT / ".cache"
_NO_GO = "Go is not installed"


class NoGoProgram(Exception):
    """A program is not there and cannot be built; the text says why."""


def go_install(name: str, package: str, version: str, *, seconds: int, without_go: str = _NO_GO) -> Path:
    """The program of a Go package, built first if need be, within this time.

    Raises NoGoProgram; where Go is not installed, with the text `without_go`.
    """
    program = CACHE / f"{name}-{version}" / name
    if not program.exists():
        run_go(
            ["install", f"{package}@{version}"],
            building=f"{name} {version}",
            seconds=seconds,
            variables={"GOBIN": str(program.parent)},
            without_go=without_go,
        )
    return program


def run_go(
    arguments: Sequence[str],
    *,
    building: str,
    seconds: int,
    variables: Mapping[str, str],
    folder: Path | None = None,
    without_go: str = _NO_GO,
) -> None:
    """Run Go with these variables beside the environment; `building` names the program in what is raised.

    Raises NoGoProgram.
    """
    go = shutil.which("go")
    if go is None:
        raise NoGoProgram(without_go)
    try:
        subprocess.run(
            [go, *arguments],
            cwd=folder,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        # What was said before the time was over is no reason, and is bytes.
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else ""
        reason = str(said or error).strip().splitlines()[-1]
        raise NoGoProgram(f"{building} cannot be built: {reason}") from error
