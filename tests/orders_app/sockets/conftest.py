"""A daphne for the socket tests, on the tests' database."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from tests.database import in_test_database
from tests.orders_app.sockets.browser import OTHER_PAGE, REPLAY_EVENTS, SLOW_SECONDS, SOCKETS_PER_USER

SETTINGS = {
    "FRONTEND_URL": OTHER_PAGE,
    "SOCKET_REPLAY_EVENTS": str(REPLAY_EVENTS),
    "SOCKET_SLOW_SECONDS": str(SLOW_SECONDS),
    "SOCKETS_PER_USER": str(SOCKETS_PER_USER),
}


@pytest.fixture(scope="package")
def metrics_port() -> int:
    """The port on which that daphne shows its metrics."""
    return free_ports(1)[0]


@pytest.fixture(scope="package")
def socket_url(
    django_db_setup: None, metrics_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL at which a daphne on the tests' database serves `/ws/orders/`.

    The daphne must end on SIGTERM and must not have logged an exception.
    """
    port = free_ports(1)[0]
    log = tmp_path_factory.mktemp("daphne") / "log"
    with log.open("wb") as stderr:
        daphne = subprocess.Popen(
            [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "config.asgi:application"],
            env=in_test_database() | SETTINGS | {"METRICS_PORT": str(metrics_port)},
            stderr=stderr,
        )
    try:
        eventually(lambda: accepts(port), "daphne listens")
        yield f"ws://127.0.0.1:{port}/ws/orders/"
        daphne.terminate()
        assert daphne.wait(10) == 0
    finally:
        daphne.kill()
        daphne.wait()
    assert "Traceback" not in log.read_text()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
