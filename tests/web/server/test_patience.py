"""Clients that send nothing, or nothing more, or do not read: they hold up nobody."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devtools.driver.shop import eventually
from tests.web.server.conftest import FEW_CONNECTIONS, QUICK, SETTINGS, Caller, Server, serving
from tests.web.server.site import LARGE_BYTES

HALF = ("POST / HTTP/1.1", "Host: a", "Content-Length: 1000")


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with small limits."""
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(log, {"CONNECTIONS_PER_ADDRESS": str(FEW_CONNECTIONS), **QUICK}) as running:
        yield running


def test_a_silent_connection_is_closed(server: Server) -> None:
    assert server.call().is_closed()


def test_a_connection_that_is_idle_after_an_answer_is_closed(server: Server) -> None:
    caller = server.call().send("GET / HTTP/1.1", "Host: a")
    assert caller.answer()[0] == 200
    assert caller.is_closed()


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-Name: "])
def test_half_of_a_head_is_a_408(server: Server, sent: bytes) -> None:
    assert server.call().raw(sent).answer()[0] == 408


@pytest.mark.parametrize("length", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_half_of_a_body_is_a_408(server: Server, length: str) -> None:
    caller = server.call().send("POST / HTTP/1.1", "Host: a", length, body=b"5")
    assert caller.answer()[0] == 408
    assert caller.is_closed()


def test_a_body_that_comes_byte_by_byte_is_a_408(server: Server) -> None:
    caller = server.call().send(*HALF)
    caller.socket.settimeout(0.2)
    end = time.monotonic() + 10
    answer = b""
    while not answer and time.monotonic() < end:
        caller.raw(b"x")
        try:
            answer = caller.socket.recv(12)
        except TimeoutError:
            continue
    assert answer == b"HTTP/1.1 408"


def test_a_client_that_leaves_in_the_middle_of_a_body_leaves_no_line_in_the_log(server: Server) -> None:
    before = server.log
    for _ in range(5):
        server.call().send(*HALF, body=b"x").close()
    assert server.echo()[0] == 200
    assert server.log == before


def test_half_sent_bodies_above_the_limit_of_the_address_keep_nobody_out(server: Server) -> None:
    held = [server.call().send(*HALF, body=b"x") for _ in range(3 * FEW_CONNECTIONS)]
    assert server.echo()[0] == 200
    assert _open(held) <= FEW_CONNECTIONS


def test_silent_connections_above_the_limit_of_the_address_keep_nobody_out(server: Server) -> None:
    held = [server.call() for _ in range(3 * FEW_CONNECTIONS)]
    assert server.echo()[0] == 200
    assert _open(held) <= FEW_CONNECTIONS


def test_a_connection_whose_request_is_answered_keeps_its_place(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"CONNECTIONS_PER_ADDRESS": "2"}) as server:
        stuck = [server.call().send("GET /stuck HTTP/1.1", "Host: a") for _ in range(2)]
        refused = server.call().send("GET / HTTP/1.1", "Host: a")
        assert refused.answer()[0] == 503
        stuck[0].socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            stuck[0].socket.recv(1)
        server.process.kill()  # it would wait for the answers


def test_connections_of_trusted_proxies_are_not_limited(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"CONNECTIONS_PER_ADDRESS": "2", "TRUSTED_PROXIES": "1"}) as server:
        held = [server.call() for _ in range(10)]
        assert server.echo()[0] == 200
        assert _open(held) == 10


@pytest.mark.parametrize("path", ["/stream", "/file"])
def test_a_large_answer_reaches_a_client_that_reads(server: Server, path: str) -> None:
    caller = server.call().send(f"GET {path} HTTP/1.0")
    received = 0
    while part := caller.socket.recv(1 << 20):
        received += len(part)
    assert LARGE_BYTES < received < LARGE_BYTES + 1000


@pytest.mark.parametrize("path", ["/stream", "/file"])
def test_a_client_that_does_not_read_a_large_answer_is_dropped(server: Server, path: str) -> None:
    worker = _worker(server)
    before = worker.memory_info().rss
    callers = [server.call().send(f"GET {path} HTTP/1.1", "Host: a") for _ in range(2)]
    assert server.echo()[0] == 200
    eventually(lambda: len(_connections(worker, server.port)) == 0, "both dropped")
    if path == "/stream":
        assert worker.memory_info().rss - before < LARGE_BYTES // 2
    for caller in callers:
        caller.close()


def test_a_process_whose_threads_are_stuck_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"STUCK_SECONDS": "2"}, processes=2) as server:
        workers = {worker.pid for worker in _workers(server)}
        stuck = [server.call().send("GET /stuck HTTP/1.1", "Host: a") for _ in range(100)]
        eventually(lambda: "all threads are stuck" in server.log, "the process ends")
        eventually(lambda: {worker.pid for worker in _workers(server)} - workers, "a new process")
        for caller in stuck:
            caller.close()
        assert eventually(lambda: _answers(server), "a new process answers")


def test_a_killed_process_is_replaced_and_sigterm_ends_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {}, processes=2) as server:
        killed = _workers(server)[0]
        killed.kill()
        eventually(lambda: len({w.pid for w in _workers(server)} - {killed.pid}) == 2, "replaced")
        assert server.echo()[0] == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0


def test_a_wrong_setting_ends_the_start_with_one_sentence() -> None:
    command = [sys.executable, "-m", "web.server", "--port", "0", "config.wsgi:application"]
    environment = os.environ | SETTINGS | {"BODY_SECONDS": "soon"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode != 0
    assert "web: BODY_SECONDS must be a whole number, not 'soon'." in ended.stderr
    assert "Traceback" not in ended.stderr


def _open(callers: list[Caller]) -> int:
    """How many of these connections the server has not closed; closes all."""
    closed = 0
    for caller in callers:
        caller.socket.setblocking(False)
        try:
            closed += caller.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            pass
        except ConnectionResetError:
            closed += 1
        caller.close()
    return len(callers) - closed


def _answers(server: Server) -> bool:
    try:
        return server.echo()[0] == 200
    except OSError:
        return False


def _workers(server: Server) -> list[psutil.Process]:
    """The processes that answer, without Python's own helper process."""
    return [child for child in psutil.Process(server.process.pid).children() if _is_worker(child)]


def _is_worker(child: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except psutil.NoSuchProcess:  # it has ended, perhaps as a zombie
        return False


def _worker(server: Server) -> psutil.Process:
    return psutil.Process(server.process.pid)


def _connections(worker: psutil.Process, port: int) -> list[object]:
    return [
        each
        for each in worker.net_connections(kind="tcp")
        if each.laddr.port == port and each.status == "ESTABLISHED"
    ]
