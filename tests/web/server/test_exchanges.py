"""Requests that the application answers on the event loop, without a thread for each."""

import signal
import threading
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from tests.web.server.conftest import Server, serving
from web.server.limits import MOST_REQUESTS_AHEAD, REQUESTS_WAITING


def test_requests_of_one_connection_are_answered_in_turn_whoever_answers_them(server: Server) -> None:
    paths = ["/exchange/later", "/exchange", "/", "/exchange"]
    requests = "".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths)
    caller = (
        server.call().raw(requests.encode()).send("GET /exchange HTTP/1.1", "Host: a", "Connection: close")
    )
    received = b"".join(iter(lambda: caller.socket.recv(65_536), b""))
    places = [received.find(text) for text in (b"later", b"at once", b'"body"')]
    assert -1 < places[0] < places[1] < places[2] < received.rfind(b"at once")
    assert received.count(b"HTTP/1.1 200 OK") == 5


def test_a_connection_is_closed_after_its_last_request(server: Server) -> None:
    caller = server.call().send("GET /exchange/later HTTP/1.1", "Host: a", "Connection: close")
    assert caller.answer() == (200, {"text": "later"})
    assert caller.is_closed()


def test_many_requests_of_one_connection_are_answered_although_each_is_answered_when_it_begins(
    server: Server,
) -> None:
    paths = ["/exchange/later", *["/exchange/begun"] * (MOST_REQUESTS_AHEAD - 1)]
    requests = "".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths)
    last = "GET /exchange HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    caller = server.call().raw(f"{requests}{last}".encode())
    received = b"".join(iter(lambda: caller.socket.recv(65_536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == len(paths) + 1
    assert received.endswith(b"at once")


@pytest.mark.parametrize("path", ["/exchange/raises", "/exchange/raises/later", "/exchange/refuses-to-offer"])
def test_an_exchange_that_fails_is_a_500_and_other_requests_are_answered(server: Server, path: str) -> None:
    assert server.call().send(f"GET {path} HTTP/1.1", "Host: a").answer()[0] == 500
    assert server.call().send("GET /exchange HTTP/1.1", "Host: a").answer() == (200, {"text": "at once"})
    assert "ZeroDivisionError" in server.log


def test_requests_that_wait_keep_no_other_from_its_answer_until_too_many_wait(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"CONNECTIONS_PER_ADDRESS": "2000"}) as server:
        for _ in range(REQUESTS_WAITING):
            server.call().send("GET /exchange/stuck HTTP/1.1", "Host: a")
        refused = eventually(lambda: _refused(server), "one too many")
        assert "overloaded" in str(refused)
        assert server.echo()[0] == 200
        server.process.kill()  # it would wait for the answers


def _refused(server: Server) -> tuple[int, dict[str, object]] | None:
    answer = server.call().send("GET /exchange HTTP/1.1", "Host: a").answer()
    return answer if answer[0] == 503 else None


def test_a_process_that_answers_no_exchange_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"STUCK_SECONDS": "2"}, processes=2) as server:
        stuck = server.call().send("GET /exchange/stuck HTTP/1.1", "Host: a")
        eventually(lambda: "no request is answered that waits for a batch" in server.log, "it ends")
        assert stuck.is_closed()
        assert eventually(lambda: server.echo()[0] == 200, "another answers")


def test_a_server_that_is_told_to_end_answers_what_it_has_begun(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {}) as server:
        callers = [server.call().send("GET /exchange/later HTTP/1.1", "Host: a") for _ in range(5)]
        threading.Timer(0.05, server.process.send_signal, [signal.SIGTERM]).start()
        assert [caller.answer() for caller in callers] == [(200, {"text": "later"})] * 5
        assert server.process.wait(15) == 0
