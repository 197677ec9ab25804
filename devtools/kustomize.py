"""kustomize, which renders deploy/kubernetes: kubectl's where it is there, otherwise built with Go.

`python -m devtools.kustomize FOLDER` prints what it renders.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "v5.8.1"
_FOLDER = Path(__file__).resolve().parents[1] / ".cache" / f"kustomize-{VERSION}"
_BUILD_SECONDS = 600


class NoKustomize(Exception):
    """It is not there and cannot be built; the text says why."""


def render(folder: Path) -> str:
    """The manifests of a kustomization, as YAML. Raises NoKustomize; CalledProcessError if they are wrong."""
    command = [*_command(), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def _command() -> list[str]:
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    program = _FOLDER / "kustomize"
    if not program.exists():
        _build()
    return [str(program), "build"]


def _build() -> None:
    go = shutil.which("go")
    if go is None:
        raise NoKustomize("neither kubectl nor Go is installed")
    try:
        subprocess.run(
            [go, "install", f"sigs.k8s.io/kustomize/kustomize/v5@{VERSION}"],
            env=os.environ | {"GOBIN": str(_FOLDER)},
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = str(error.stderr or error).strip().splitlines()[-1]
        raise NoKustomize(f"kustomize {VERSION} cannot be built: {reason}") from error


if __name__ == "__main__":
    try:
        print(render(Path(sys.argv[1])))
    except NoKustomize as error:
        sys.exit(str(error))
