"""Where the programs of Prometheus are: fetched by devtools/install-prometheus.sh, or on the PATH."""

import os
import shutil
from pathlib import Path

from devtools.stack.spawn import PROJECT

PROMETHEUS = ("prometheus",)
PROMTOOL = ("promtool",)
ALERTMANAGER = ("prometheus-alertmanager", "alertmanager")
AMTOOL = ("amtool",)
_FETCHED = PROJECT / ".cache" / "prometheus" / "usr" / "bin"


class NoProgram(Exception):
    """A program is not on this machine; the text says how to get it."""


def find_program(names: tuple[str, ...]) -> Path:
    """The program that has one of these names. Raises NoProgram."""
    path = os.pathsep.join([str(_FETCHED), os.environ.get("PATH", "")])
    for name in names:
        if found := shutil.which(name, path=path):
            return Path(found)
    raise NoProgram(
        f"there is no {names[0]} on this machine: devtools/install-prometheus.sh fetches Debian's"
    )
