"""The processes of the system: web, sockets, and the workers of `kafka_workers.workers`."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from devtools.stack.settings import Settings
from kafka_workers.workers import WORKERS, Worker

WEB = "web"
DEFAULT_COUNTS = {WEB: 2, **{worker.name: worker.count for worker in WORKERS}}
"""How many processes of each kind run; sockets always has one."""


@dataclass(frozen=True)
class Process:
    """One process to keep running; the console prints its name before each of its lines."""

    name: str
    command: tuple[str, ...]
    heartbeats: int = 0
    """How many of its processes say in a heartbeat that they are warm."""
    own: dict[str, str] = field(default_factory=dict)
    """Settings that differ from those of the other processes: on another host its folders do."""


def all_processes(settings: Settings, counts: Mapping[str, int]) -> list[Process]:
    """The processes of one system; `counts` has the numbers that differ from DEFAULT_COUNTS.

    A worker whose setting has no value here is left out.
    """
    counts = {**DEFAULT_COUNTS, **counts}
    chosen = [worker for worker in WORKERS if not worker.setting or settings.values.get(worker.setting)]
    workers = [process for worker in chosen for process in _instances(worker, counts[worker.name])]
    return [web_process(settings, counts[WEB]), sockets_process(settings), *workers]


def worker_process(worker: Worker, number: int | None = None) -> Process:
    """One process of a worker; a number distinguishes several processes of one worker."""
    name = worker.name if number is None else f"{worker.name}-{number}"
    return Process(name, (sys.executable, "manage.py", worker.command), heartbeats=1)


def web_process(settings: Settings, count: int, name: str = WEB) -> Process:
    """The web server with `count` processes, on the port for HTTP of these settings."""
    options = {"--host": settings.host, "--port": str(settings.ports.web), "--processes": str(count)}
    server = (sys.executable, "-m", "web.server", *_flat(options))
    return Process(name, (*server, "config.wsgi:application"), heartbeats=count)


def sockets_process(settings: Settings, name: str = "sockets") -> Process:
    """daphne, on the port for sockets of these settings."""
    options = {"-b": settings.host, "-p": str(settings.ports.sockets), "-v": "0"}
    command = (sys.executable, "-m", "daphne", *_flat(options), "config.asgi:application")
    return Process(name, command, heartbeats=1)


def _instances(worker: Worker, count: int) -> list[Process]:
    if count == 1:
        return [worker_process(worker)]
    return [worker_process(worker, number) for number in range(1, count + 1)]


def _flat(options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(part for option in options.items() for part in option)
