"""The end of the server loses no request of a client that was let in."""

import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from tests.web.server.conftest import Caller, Server, serving
from web.server.__main__ import SHUTDOWN_SECONDS
from web.server.draining import DRAIN_SECONDS, STEP_SECONDS, drain
from web.server.limits import ON_ITS_WAY_SECONDS

CALLERS = 8


@dataclass
class Calls:
    """What clients saw that opened a connection for each request, as a proxy does."""

    answered: int = 0
    lost: list[str] = field(default_factory=list)


def call_until_nobody_listens(port: int, calls: Calls) -> None:
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            return
        with connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try:
                answer = connection.recv(15)
            except OSError as error:
                calls.lost.append(repr(error))
            else:
                if answer.startswith(b"HTTP/1.1 200"):
                    calls.answered += 1
                else:
                    calls.lost.append(repr(answer))


def load(server: Server, calls: Calls) -> list[threading.Thread]:
    callers = [
        threading.Thread(target=call_until_nobody_listens, args=(server.port, calls)) for _ in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    eventually(lambda: calls.answered > 50, "the server answers")
    return callers


@pytest.mark.parametrize("processes", [1, 2])
def test_every_connection_that_was_made_is_answered_though_the_server_ends(
    processes: int, tmp_path: Path
) -> None:
    calls = Calls()
    with serving(tmp_path / "log", {}, processes=processes) as server:
        callers = load(server, calls)
        server.process.terminate()
        assert server.process.wait(20) == 0
        for caller in callers:
            caller.join(20)
    assert calls.lost == []


HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"


def between_two_requests(server: Server) -> Caller:
    caller = server.call().raw(HEAD + b"\r\n")
    assert caller.answer()[0] == 200
    return caller


@pytest.mark.parametrize("sent", [b"", HEAD], ids=["nothing", "half a head"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_request_that_is_on_its_way_when_the_server_ends_is_answered(
    processes: int, sent: bytes, tmp_path: Path
) -> None:
    with serving(tmp_path / "log", {}, processes=processes) as server:
        late = server.call().raw(sent)
        wait_for_the_end(server)
        assert late.raw(HEAD.removeprefix(sent) + b"\r\n").answer()[0] == 200
        assert server.process.wait(20) == 0


def wait_for_the_end(server: Server) -> None:
    """Ask the server to end, and wait until it closes connections."""
    callers = [between_two_requests(server) for _ in range(CALLERS)]
    server.process.terminate()
    assert all(caller.is_closed() for caller in callers)


def test_the_rest_of_a_request_is_awaited_on_a_connection_that_has_had_others(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {}) as server:
        late = between_two_requests(server).raw(HEAD)
        wait_for_the_end(server)
        assert late.raw(b"\r\n").answer()[0] == 200
        assert server.process.wait(20) == 0


def test_a_request_behind_one_that_is_being_answered_is_answered_too(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {}) as server:
        two = server.call().send("POST /exchange/late HTTP/1.1", "Host: a").raw(HEAD)
        wait_for_the_end(server)
        assert two.answer() == (200, {"text": "later"})
        assert two.raw(b"\r\n").answer()[0] == 200
        assert server.process.wait(20) == 0


def test_a_body_that_does_not_come_holds_the_end_up_for_two_seconds_and_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {}) as server:
        silent = server.call().send("POST / HTTP/1.1", "Host: a", "Content-Length: 10")
        wait_for_the_end(server)
        assert silent.answer()[0] == 408
        assert silent.is_closed()
        assert server.process.wait(SHUTDOWN_SECONDS - ON_ITS_WAY_SECONDS) == 0


def test_a_connection_without_a_request_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {}) as server:
        silent = server.call()
        server.process.terminate()
        assert silent.is_closed()
        assert server.process.wait(20) == 0


def test_the_listening_socket_stays_open_until_all_who_were_let_in_are_accepted() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        steps = drain([listener])
        assert [next(steps), next(steps)] == [DRAIN_SECONDS, STEP_SECONDS]
        listener.accept()[0].close()
        assert list(steps) == []
