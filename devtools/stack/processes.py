"""Which processes make up the system: the one table of them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from devtools.stack.settings import Settings


@dataclass(frozen=True)
class Process:
    """One process to keep running; its name stands before its lines in the log."""

    name: str
    command: tuple[str, ...]


# Workers, by name: the management command of each.
WORKERS = {
    "relay": "run_outbox_relay",
    "inventory": "run_inventory_consumer",
    "order": "run_order_consumer",
    "holds": "expire_holds",
}
# What can run more than once, how often it does, and what for.
DEFAULT_COUNTS = {"web": 2, **dict.fromkeys(WORKERS, 1)}
PURPOSES = {
    "web": "processes answer HTTP",
    "relay": "relays publish what happened to orders: one works, the others stand by",
    "inventory": "consumers take stock for orders and give it back",
    "order": "consumers write the stock service's answers into the orders",
    "holds": "workers cancel orders that were not paid in time",
}


def all_processes(settings: Settings, counts: Mapping[str, int]) -> list[Process]:
    """The processes of one system; `counts` has the numbers that differ from DEFAULT_COUNTS."""
    counts = {**DEFAULT_COUNTS, **counts}
    workers = [process for name in WORKERS for process in _instances(name, counts[name])]
    return [_web(settings, counts["web"]), _sockets(settings), *workers]


def worker_process(worker: str, number: int | None = None) -> Process:
    """One instance of a worker, told from its siblings by a number."""
    name = worker if number is None else f"{worker}-{number}"
    return Process(name, (sys.executable, "manage.py", WORKERS[worker]))


def _instances(worker: str, count: int) -> list[Process]:
    if count == 1:
        return [worker_process(worker)]
    return [worker_process(worker, number) for number in range(1, count + 1)]


def _web(settings: Settings, workers: int) -> Process:
    options = {
        "--interface": "wsgi",
        "--workers": str(workers),
        # They place orders together (docs/adr/0012): one thread alone has nobody to share a commit with.
        "--blocking-threads": "32",
        "--host": settings.host,
        "--port": str(settings.ports.web),
    }
    granian = (sys.executable, "-m", "granian", "--respawn-failed-workers", "--no-ws")
    return Process("web", (*granian, *_flat(options), "config.wsgi:application"))


def _sockets(settings: Settings) -> Process:
    options = {"-b": settings.host, "-p": str(settings.ports.sockets), "-v": "0"}
    return Process("sockets", (sys.executable, "-m", "daphne", *_flat(options), "config.asgi:application"))


def _flat(options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(part for option in options.items() for part in option)
