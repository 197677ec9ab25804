"""A virtual environment for each Python, with what requirements-dev.txt pins, kept in `.cache`."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from devtools.stack.spawn import PROJECT

_REQUIREMENTS = PROJECT / "requirements-dev.txt"
_CACHE = PROJECT / ".cache" / "matrix"
_UV = Path(sys.executable).with_name("uv")


class NotToBeHad(Exception):
    """This version is not there and cannot be downloaded, or the packages cannot be installed on it."""


def interpreter(version: str) -> Path:
    """The Python of this version with the packages of the tests; the one that runs this, if it is of it.

    Others are found or downloaded by uv, or pyenv has them. Raises NotToBeHad.
    """
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    folder = _CACHE / f"python-{version}"
    python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    wanted = sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        _uv("venv", "--quiet", "--clear", "--python", _of_pyenv(version) or version, str(folder))
        # Compiled, as otherwise each process of a system would compile all modules at its start.
        _uv(
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(python),
            "-r",
            str(_REQUIREMENTS),
        )
        stamp.write_text(wanted)
    return python


def download_kafka(version: str, python: Path) -> None:
    """Downloads this Kafka for this Python, before any test waits for it. Raises NotToBeHad."""
    code = "from devtools.stack.kafka_jars import kafka_class_path; kafka_class_path()"
    environment = os.environ | {"KAFKA_VERSION": version}
    done = subprocess.run(
        [python, "-c", code], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotToBeHad(done.stderr.strip().rpartition("\n")[2])


def _of_pyenv(version: str) -> str:
    """The Python of this version that pyenv has installed: uv does not look there."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted((root / "versions").glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else ""


def _uv(*arguments: str) -> None:
    done = subprocess.run([_UV, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotToBeHad(done.stderr.strip())
