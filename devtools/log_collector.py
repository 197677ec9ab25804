"""The OpenTelemetry collector, which ships log lines: built where Go is, `python -m devtools.log_collector`.

It takes some minutes once. An installation uses the contrib image instead, which has more parts.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v0.165.0"
_MANIFEST = Path(__file__).with_suffix(".yml")
_FOLDER = Path(__file__).resolve().parents[1] / ".cache" / f"log-collector-{VERSION}"
_BUILD_SECONDS = 1500


class NoLogCollector(Exception):
    """It is not there and cannot be built; the text says why."""


def log_collector() -> Path:
    """The program, built first if need be. Raises NoLogCollector."""
    program = _FOLDER / "otelcol"
    if not program.exists():
        _build(program)
    return program


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NoLogCollector("Go is not installed")
    environment = os.environ | {"GOBIN": str(_FOLDER)}
    _run([go, "install", f"go.opentelemetry.io/collector/cmd/builder@{VERSION}"], environment)
    shutil.copy(_MANIFEST, _FOLDER)
    _run([str(_FOLDER / "builder"), "--config", _MANIFEST.name], environment)
    # Only when it is whole: a build that was cut off is begun again.
    (_FOLDER / "build" / "otelcol").rename(program)


def _run(command: list[str], environment: dict[str, str]) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            command,
            cwd=_FOLDER,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = (str(error.stderr or "").strip() or str(error)).splitlines()[-1]
        raise NoLogCollector(f"the collector {VERSION} cannot be built: {reason}") from error


if __name__ == "__main__":
    try:
        print(log_collector())
    except NoLogCollector as error:
        sys.exit(str(error))
