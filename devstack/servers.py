"""The three embedded servers together, each giving way to a server of the caller's own."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from devstack.kafka import KafkaBroker
from devstack.mongo import MongoServer
from devstack.postgres import PostgresServer
from devstack.server import Server

_KINDS: Mapping[str, tuple[str, type[KafkaBroker | MongoServer | PostgresServer]]] = {
    "KAFKA_BROKERS": ("kafka", KafkaBroker),
    "MONGODB_URI": ("mongodb", MongoServer),
    "DATABASE_URL": ("postgres", PostgresServer),
}


def embedded_servers(
    directory: Path, ports: Mapping[str, int], given: Mapping[str, str]
) -> dict[str, Server]:
    """The servers to run ourselves, by the setting that tells others where they are.

    `ports` has a port for each such setting; a setting that `given` holds already needs no server.
    """
    return {
        setting: kind(directory / folder, ports[setting])
        for setting, (folder, kind) in _KINDS.items()
        if not given.get(setting)
    }


SERVER_SETTINGS = tuple(_KINDS)


def start_all(servers: Iterable[Server]) -> None:
    """Starts the servers at the same time and returns when all are healthy.

    When one fails, or Ctrl-C comes, those that are up or on their way are stopped before the error goes on.
    """
    servers = list(servers)
    with ThreadPoolExecutor() as pool:
        starting = [pool.submit(server.start) for server in servers]
        try:
            for start in starting:
                start.result()
        except BaseException:
            stop_all(servers)
            wait(starting)
            stop_all(servers)
            raise


def stop_all(servers: Iterable[Server]) -> None:
    """Stops the servers at the same time; one that does not run is no error."""
    _at_once([server.stop for server in servers])


def _at_once(actions: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(action) for action in actions]:
            done.result()
