"""Stripe's own mock server, built in its pinned version where Go is there: `python -m devtools.stripe_mock`.

It knows Stripe's description of its API and refuses requests that do not fit it. It keeps nothing, ignores
idempotency keys and declines nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v0.203.0"
_FOLDER = Path(__file__).resolve().parents[1] / ".cache" / f"stripe-mock-{VERSION}"
_BUILD_SECONDS = 300


class NoStripeMock(Exception):
    """It is not there and cannot be built; the text says why."""


def stripe_mock() -> Path:
    """The program, built first if need be. Raises NoStripeMock."""
    program = _FOLDER / "stripe-mock"
    if not program.exists():
        _build(program)
    return program


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NoStripeMock("Go is not installed")
    try:
        subprocess.run(
            [go, "install", f"github.com/stripe/stripe-mock@{VERSION}"],
            env=os.environ | {"GOBIN": str(program.parent)},
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = str(error.stderr or error).strip().splitlines()[-1]
        raise NoStripeMock(f"stripe-mock {VERSION} cannot be built: {reason}") from error


if __name__ == "__main__":
    try:
        print(stripe_mock())
    except NoStripeMock as error:
        sys.exit(str(error))
