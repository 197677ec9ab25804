"""A Docker engine of the tests' own, and Docker Compose; devtools/install-docker.sh makes both ready."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from devtools.stack.spawn import spawn
from tests.deploy.compose_file import ROOT

CACHE = ROOT / ".cache"
COMPOSE = CACHE / "docker-compose" / "docker-compose"
_DATA = CACHE / "docker" / "engine"
_CONFIG = CACHE / "docker" / "config"
_START_SECONDS = 30
_STOP_SECONDS = 60


def require_docker() -> None:
    """Skips the test where containers cannot be run; devtools/install-docker.sh makes it ready."""
    missing = [name for name in ("dockerd", "docker", "mmdebstrap") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    if os.geteuid() != 0:
        pytest.skip("an engine of the tests' own needs root")
    require_compose()


def require_compose() -> None:
    """Skips the test where Docker Compose is not there."""
    if not COMPOSE.exists():
        pytest.skip("there is no Docker Compose in .cache/docker-compose")


class Engine:
    """A dockerd with data of its own, which leaves the machine's firewall alone and ends with the tests."""

    def __init__(self) -> None:
        self._socket = _DATA / "docker.sock"
        self._log = _DATA / "log"

    def start(self) -> None:
        """Starts it; skips the test where it does not run on this machine."""
        _DATA.mkdir(parents=True, exist_ok=True)
        _install_plugin()
        with self._log.open("wb") as log:
            self._process = spawn(self._command(), output=log)
        eventually(
            lambda: self._answers() or self._process.poll() is not None, "dockerd answers", _START_SECONDS
        )
        if self._process.poll() is not None:
            last = self._log.read_text().strip().splitlines()[-1]
            pytest.skip(f"dockerd does not run here: {last}")

    def stop(self) -> None:
        """Ends it with its containers."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _command(self) -> list[str | Path]:
        places: list[str | Path] = ["--data-root", _DATA / "data", "--exec-root", _DATA / "exec"]
        places += ["-H", f"unix://{self._socket}", "--pidfile", _DATA / "pid"]
        alone = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        cgroups = ["--exec-opt", "native.cgroupdriver=cgroupfs"]
        return ["dockerd", *places, *alone, "--bridge=none", *cgroups, "--storage-driver", "overlay2"]

    def docker(self, *arguments: str | Path, timeout: float = 120) -> str:
        """What this command of docker prints; fails where it does."""
        return run(["docker", *arguments], env=self.env, timeout=timeout)

    @property
    def env(self) -> dict[str, str]:
        """The environment by which clients find it; with it, `docker compose` is the Compose of the tests."""
        return os.environ | {
            "DOCKER_HOST": f"unix://{self._socket}",
            "DOCKER_CONFIG": str(_CONFIG),
            "DOCKER_BUILDKIT": "0",
        }

    def _answers(self) -> bool:
        done = subprocess.run(["docker", "version"], env=self.env, capture_output=True, check=False)
        return done.returncode == 0


def _install_plugin() -> None:
    plugin = _CONFIG / "cli-plugins" / COMPOSE.name
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.unlink(missing_ok=True)
    plugin.symlink_to(COMPOSE)


def run(command: Sequence[str | Path], *, env: Mapping[str, str], timeout: float = 120) -> str:
    """What a command prints; fails with all that it has said where its exit code is not 0."""
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}\n{done.stderr}"
    return done.stdout
