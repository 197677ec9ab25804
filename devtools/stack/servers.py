"""The three embedded servers together; a server of the caller's own replaces an embedded one."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from devtools.stack.kafka import KafkaBroker
from devtools.stack.mongo import MongoServer
from devtools.stack.ports import Ports
from devtools.stack.postgres import PostgresServer
from devtools.stack.server import Server


def embedded_servers(directory: Path, *, ports: Ports, caller: Mapping[str, str]) -> dict[str, Server]:
    """The embedded servers to run, by the setting that holds the server's address.

    A setting that the caller's environment has already needs no embedded server.
    """
    servers: dict[str, Server] = {
        "KAFKA_BROKERS": KafkaBroker(directory / "kafka", ports.kafka),
        "MONGODB_URI": MongoServer(directory / "mongodb", ports.mongodb),
        "DATABASE_URL": PostgresServer(directory / "postgres", ports.postgres),
    }
    return {setting: server for setting, server in servers.items() if not caller.get(setting, "").strip()}


def start_all(servers: Iterable[Server]) -> None:
    """Starts the servers at the same time and returns when all are healthy.

    When one fails, or on Ctrl-C, all of them are stopped before the error is raised again.
    """
    servers = list(servers)
    for server in servers:
        server.install()
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
    """Stops the servers at the same time; a server that does not run is no error."""
    run_together(server.stop for server in servers)


def run_together(actions: Iterable[Callable[[], None]]) -> None:
    """Runs the actions at the same time and returns when the last has ended."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(action) for action in actions]:
            done.result()
