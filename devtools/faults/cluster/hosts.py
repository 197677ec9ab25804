"""The hosts of a cluster: folders that no other host's processes use, and the processes on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from devtools.stack.processes import Process, sockets_process, web_process, worker_process
from devtools.stack.settings import Settings
from kafka_workers.workers import WORKERS


@dataclass(frozen=True)
class Host:
    """A machine of its own, as its processes see it. `web` and `sockets` are their ports."""

    directory: Path
    web: int
    sockets: int

    @property
    def metrics(self) -> Path:
        """Where its processes keep metrics and heartbeats."""
        return self.directory / "metrics"

    @property
    def own(self) -> dict[str, str]:
        """The settings by which its processes use its folders alone."""
        folders = {"STACK_DIR": "stack", "PROMETHEUS_MULTIPROC_DIR": "metrics", "TMPDIR": "temporary"}
        return {name: str(self.directory / folder) for name, folder in folders.items()}

    def make_folders(self) -> None:
        """Creates its folders."""
        for folder in self.own.values():
            Path(folder).mkdir(parents=True)


def processes_on(
    hosts: Sequence[Host], front: int, settings: Settings, counts: Mapping[str, int]
) -> list[Process]:
    """Web and sockets on each of the first `front` hosts; the workers of a kind on one host after another."""
    return [
        *(process for number in range(front) for process in _front(hosts[number], settings, number + 1)),
        *(
            replace(worker_process(worker, number + 1), own=hosts[number].own)
            for worker in WORKERS
            for number in range(counts[worker.name])
        ),
    ]


def _front(host: Host, settings: Settings, number: int) -> list[Process]:
    there = replace(settings, ports=replace(settings.ports, web=host.web, sockets=host.sockets))
    chosen = [web_process(there, 1, f"web-{number}"), sockets_process(there, f"sockets-{number}")]
    return [replace(process, own=host.own) for process in chosen]
