"""The OpenTelemetry Collector with the parts that the tests need: a pinned version, built where Go is there.

`python -m devtools.otel_collector` builds it, which takes some minutes the first time. An installation takes
the contrib image instead, which has more parts.
"""

import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from devtools.go_programs import CACHE, NoGoProgram, run_go
from devtools.stack.ports import free_ports
from devtools.stack.server import ServerProcess

VERSION = "v0.165.0"
_MANIFEST = Path(__file__).with_suffix(".yml")
_FOLDER = CACHE / f"otel-collector-{VERSION}"
_BUILD_SECONDS = 1500


def collector_program() -> Path:
    """The program, built first where it is missing. Raises NoGoProgram."""
    program = _FOLDER / "otelcol"
    if not program.exists():
        _build(program)
    return program


class CollectorServer(ServerProcess):
    """A collector that takes spans by OTLP over HTTP and passes them on to `target` in the same way."""

    name = "collector"
    setting = "OTEL_EXPORTER_OTLP_ENDPOINT"

    def __init__(self, directory: Path, target: str) -> None:
        [port] = free_ports(1)
        super().__init__(directory, port)
        self._target = target

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def install(self) -> None:
        """Builds the program if it is missing. Raises NoGoProgram."""
        collector_program()

    def _prepare(self) -> None:
        """Writes its configuration; JSON is YAML too."""
        config = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": self.address}}}},
            "exporters": {"otlp_http": {"endpoint": self._target}},
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_http"]}},
            },
        }
        self._config.write_text(json.dumps(config))

    @property
    def _config(self) -> Path:
        return self.directory / "config.yaml"

    def _command(self) -> Sequence[str | Path]:
        return [collector_program(), "--config", self._config]

    def _is_healthy(self) -> bool:
        empty = urllib.request.Request(
            f"{self.url}/v1/traces", b"{}", headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(empty, timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _build(program: Path) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copy(_MANIFEST, _FOLDER)
    builder = f"go.opentelemetry.io/collector/cmd/builder@{VERSION}"
    run_go(
        ["run", builder, "--config", _MANIFEST.name],
        building=f"the collector {VERSION}",
        seconds=_BUILD_SECONDS,
        variables={"CGO_ENABLED": "0"},
        folder=_FOLDER,
    )
    # Only when it is whole: a build that was cut off is begun again.
    (_FOLDER / "build" / program.name).rename(program)


if __name__ == "__main__":
    try:
        print(collector_program())
    except NoGoProgram as error:
        sys.exit(str(error))
