"""The description of the machine on which the figures were measured, and of the code."""

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from devtools.stack.spawn import PROJECT

_PACKAGES = ("django", "uvicorn", "httptools", "daphne", "psycopg", "pymongo", "confluent-kafka")


def describe_machine() -> Mapping[str, str]:
    """Processor, memory, versions and load of the machine, and the commit of the code, each by its name."""
    return {
        "processor": f"{_processor()}, {psutil.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "code": _code(),
        "load before": f"{psutil.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def _code() -> str:
    """The commit of the code, where git knows it."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return found.stdout.strip() or "unknown"
