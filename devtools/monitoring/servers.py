"""Prometheus and Alertmanager, each on a port of this machine with its data in a folder."""

import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devtools.monitoring.programs import ALERTMANAGER, PROMETHEUS, find_program
from devtools.stack.http_health import is_healthy
from devtools.stack.server import ServerProcess
from devtools.stack.spawn import PROJECT

_ANSWER_SECONDS = 5


class MonitoringServer(ServerProcess):
    """What both have in common: a configuration file, and an answer at `/-/ready`."""

    def __init__(self, directory: Path, port: int, configuration: Path) -> None:
        super().__init__(directory, port)
        self.configuration = configuration

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def get(self, path: str, **parameters: str) -> Any:
        """What the server answers to a GET, decoded from JSON. Raises OSError."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=_ANSWER_SECONDS) as answer:
            return json.load(answer)

    def _prepare(self) -> None: ...

    def _is_healthy(self) -> bool:
        return is_healthy(self.port, "/-/ready")


class PrometheusServer(MonitoringServer):
    name = "Prometheus"
    setting = "PROMETHEUS_URL"

    def _command(self) -> Sequence[str | Path]:
        return [
            find_program(PROMETHEUS),
            f"--config.file={self.configuration}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address={self.address}",
            f"--web.user-assets={PROJECT / 'docs'}",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
        ]


class AlertmanagerServer(MonitoringServer):
    name = "Alertmanager"
    setting = "ALERTMANAGER_URL"

    def _command(self) -> Sequence[str | Path]:
        return [
            find_program(ALERTMANAGER),
            f"--config.file={self.configuration}",
            f"--storage.path={self.data}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
