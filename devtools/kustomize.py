"""kustomize, which renders deploy/kubernetes: kubectl's where it is there, otherwise built with Go.

`python -m devtools.kustomize FOLDER` prints what it renders.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from devtools.go_programs import NoGoProgram, go_install

VERSION = "v5.8.1"
_BUILD_SECONDS = 600


def render(folder: Path) -> str:
    """The manifests of a kustomization, as YAML. Raises NoGoProgram; CalledProcessError if they are wrong."""
    command = [*_command(), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def _command() -> list[str]:
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    program = go_install(
        "kustomize",
        "sigs.k8s.io/kustomize/kustomize/v5",
        VERSION,
        seconds=_BUILD_SECONDS,
        without_go="neither kubectl nor Go is installed",
    )
    return [str(program), "build"]


if __name__ == "__main__":
    try:
        print(render(Path(sys.argv[1])))
    except NoGoProgram as error:
        sys.exit(str(error))
