"""daphne: sockets and health checks, no bodies, and nobody who only holds a connection."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from tests.orders_app.sockets.conftest import accepts
from tests.web.server.conftest import FEW_CONNECTIONS, QUICK, SETTINGS, Server

HANDSHAKE = (
    "GET /ws/orders/ HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)

FEW_FILES = ("prlimit", "--nofile=256:")
"""What many machines allow a process that does not ask for more; util-linux has the command."""


@pytest.fixture(scope="module")
def running_daphne(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A daphne with small limits, whose directory for temporary files is its own."""
    port, folder = free_ports(1)[0], tmp_path_factory.mktemp("daphne")
    settings = {**SETTINGS, **QUICK, "CONNECTIONS_PER_ADDRESS": str(FEW_CONNECTIONS), "TMPDIR": str(folder)}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *FEW_FILES,
                sys.executable,
                "-m",
                "daphne",
                "-v",
                "0",
                "-p",
                str(port),
                "config.asgi:application",
            ],
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: accepts(port), "daphne listens")
        yield Server(port, process, log)
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture
def daphne(running_daphne: Server) -> Iterator[Server]:
    """The same daphne for each test, without the connections of others."""
    yield running_daphne
    running_daphne.hang_up()
    assert "Traceback" not in running_daphne.log


def test_it_answers_health_checks(daphne: Server) -> None:
    status, answer = daphne.call().send("GET /health/live HTTP/1.1", "Host: localhost").answer()
    assert (status, answer["status"]) == (200, "live")


@pytest.mark.parametrize("path", ["/api/v1/products/", "/admin/login/", "/metrics", "/", "/health/live/x"])
def test_it_serves_no_other_path(daphne: Server, path: str) -> None:
    status, answer = daphne.call().send(f"GET {path} HTTP/1.1", "Host: localhost").answer()
    assert status == 404
    assert [error["code"] for error in answer["errors"]] == ["not_found"]


@pytest.mark.parametrize("length", ["Content-Length: 300000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", ["/api/v1/orders/", "/health/live"])
def test_it_takes_no_body(daphne: Server, path: str, length: str) -> None:
    before = psutil.Process(daphne.process.pid).memory_info().rss
    caller = daphne.call().send(f"POST {path} HTTP/1.1", "Host: localhost", length, body=b"1\r\n")
    assert caller.answer()[0] == 404
    try:
        for _ in range(200):
            caller.raw(b"x" * 100_000)
    except OSError:
        pass
    assert psutil.Process(daphne.process.pid).memory_info().rss - before < 10_000_000
    files = {Path(file.path).name for file in psutil.Process(daphne.process.pid).open_files()}
    assert not {name for name in files if name.startswith("tmp")}


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /health/live HTTP/1.1\r\nHost: "])
def test_a_connection_that_asks_for_nothing_is_closed(daphne: Server, sent: bytes) -> None:
    assert daphne.call().raw(sent).is_closed()


def test_connections_above_the_limit_of_the_address_keep_nobody_out(daphne: Server) -> None:
    held = [daphne.call() for _ in range(3 * FEW_CONNECTIONS)]
    status, _ = daphne.call().send("GET /health/live HTTP/1.1", "Host: localhost").answer()
    assert status == 200
    assert held[0].is_closed()


def test_sockets_do_not_count_among_the_connections_of_an_address(daphne: Server) -> None:
    for _ in range(2 * FEW_CONNECTIONS):
        assert daphne.call().send(*HANDSHAKE).socket.recv(12) == b"HTTP/1.1 101"


def test_it_may_open_as_many_files_as_the_machine_permits(daphne: Server) -> None:
    soft, hard = psutil.Process(daphne.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard


@pytest.mark.parametrize("header", ["Daphne-Root-Path: /health", "X_Forwarded_For: 1.2.3.4"])
def test_headers_of_its_own_are_not_believed(daphne: Server, header: str) -> None:
    status, _ = daphne.call().send("GET /live HTTP/1.1", "Host: localhost", header).answer()
    assert status == 404
