"""The end of the server loses no request of a client that was let in."""

import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from tests.web.server.conftest import Server, serving

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
