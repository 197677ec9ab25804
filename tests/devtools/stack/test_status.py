"""What ./start status says of a state file, of the processes in it, and of what /health/ready answers."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from devtools.driver.shop import eventually
from devtools.stack.errors import StackError
from devtools.stack.status import SOMETHING_IS_WRONG, print_status

NOBODY = 65_534
Launch = Callable[[str], int]


@pytest.fixture
def launch() -> Iterator[Launch]:
    launched: list[subprocess.Popen[bytes]] = []

    def launch(script: str) -> int:
        launched.append(subprocess.Popen(["bash", "-c", script], start_new_session=True))
        return launched[-1].pid

    yield launch
    for process in launched:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def health() -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a web server, and its answer to /health/ready, to be filled."""
    answer: dict[str, Any] = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            texts = {"/health/ready": json.dumps(answer), "/metrics": answer.get("metrics", "")}
            body = texts.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.2", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.2:{server.server_port}", answer
        server.shutdown()


def write_state(
    directory: Path, *, supervisor: int, parts: Sequence[tuple[str, int]] = (), web: str | None = None
) -> None:
    state = {
        "pid": supervisor,
        "ready": web is not None,
        "web": web or "http://127.0.0.1:1",
        "waits_for": [],
        "parts": [{"name": name, "pid": pid, "restarts": 0} for name, pid in parts],
    }
    (directory / "state").write_text(json.dumps(state))
    (directory / "env").write_text("ALLOWED_HOSTS=localhost\nKAFKA_BROKERS=127.0.0.1:1\n")


def wrong_of(directory: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the status says is wrong, on one line."""
    assert print_status(directory) == SOMETHING_IS_WRONG
    return " ".join(capsys.readouterr().out.partition("\nwrong\n")[2].split())


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "a frozen process")


def test_a_frozen_supervisor_is_told(
    tmp_path: Path, launch: Launch, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor = launch("exec sleep 1000")
    freeze(supervisor)
    write_state(tmp_path, supervisor=supervisor)
    assert wrong_of(tmp_path, capsys) == (
        "it is still starting the supervisor is frozen by a signal, so nothing is started again: "
        f"kill -CONT {supervisor}"
    )


def test_a_frozen_part_and_a_frozen_child_of_a_part_are_told(
    tmp_path: Path, launch: Launch, capsys: pytest.CaptureFixture[str]
) -> None:
    relay, web, order = launch("exec sleep 1000"), launch("sleep 1000; true"), launch("exec sleep 1000")
    child = eventually(psutil.Process(web).children, "the child")[0].pid
    for pid in (relay, child):
        freeze(pid)
    parts = [("relay", relay), ("web", web), ("order", order)]
    write_state(tmp_path, supervisor=os.getpid(), parts=parts)
    assert wrong_of(tmp_path, capsys) == (
        f"it is still starting relay is frozen by a signal: kill -CONT {relay} lets it continue "
        f"a part of web is frozen by a signal: kill -CONT {child} lets it continue"
    )


def test_a_part_that_has_ended_and_waits_for_its_parent_does_not_run(
    tmp_path: Path, launch: Launch, capsys: pytest.CaptureFixture[str]
) -> None:
    relay = launch("exit 0")
    eventually(lambda: psutil.Process(relay).status() == psutil.STATUS_ZOMBIE, "a zombie")
    write_state(tmp_path, supervisor=os.getpid(), parts=[("relay", relay)])
    assert wrong_of(tmp_path, capsys) == "it is still starting relay does not run"


def test_every_warning_of_health_is_told_with_its_reason(
    tmp_path: Path, health: tuple[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    web, answer = health
    answer["status"] = "orders are taken, but something is wrong"
    answer["dependencies"] = {
        "kafka": {"up": False, "milliseconds": 1.0, "error": "refused"},
        "mongodb": {"up": True, "milliseconds": 1.0, "error": None},
    }
    answer["warnings"] = [
        {"kind": "dependency", "name": "kafka", "reason": "refused"},
        {"kind": "worker", "name": "relay", "reason": "process 1 is silent"},
        {"kind": "breaker", "name": "a-group", "reason": "process 2 handles nothing"},
        {"kind": "neighbour", "name": "postgresql", "reason": "a transaction of psql is open"},
    ]
    write_state(tmp_path, supervisor=os.getpid(), web=web)
    assert wrong_of(tmp_path, capsys).startswith(
        "orders are taken, but something is wrong kafka: refused worker relay: process 1 is silent "
        "breaker a-group: process 2 handles nothing neighbour postgresql: a transaction of psql is open "
        "the lag of the consumers is not known: "
    )


def test_a_consumer_that_waits_for_a_server_is_told(
    tmp_path: Path, health: tuple[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    web, answer = health
    answer["status"] = "ready"
    answer["metrics"] = (
        'stockbridge_consumer_waiting{group="email-service-group"} 1.0\n'
        'stockbridge_consumer_waiting{group="orders-service-group"} 0.0\n'
    )
    write_state(tmp_path, supervisor=os.getpid(), web=web)
    wrong = wrong_of(tmp_path, capsys)
    assert (
        "the email consumer waits for a server that it needs: PostgreSQL, Kafka or the mail server" in wrong
    )
    assert "order consumer" not in wrong


def test_an_answer_that_is_not_of_health_is_told(
    tmp_path: Path, health: tuple[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    web, answer = health
    answer["detail"] = "not here"
    write_state(tmp_path, supervisor=os.getpid(), web=web)
    assert wrong_of(tmp_path, capsys).startswith(f"{web}/health/ready does not answer: ")


def test_a_broken_file_of_settings_is_one_sentence(tmp_path: Path) -> None:
    write_state(tmp_path, supervisor=os.getpid())
    (tmp_path / "env").write_text("SECRET_KEY='never closed")
    with pytest.raises(StackError, match="cannot be read"):
        print_status(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_status_of_another_users_stack_is_one_sentence(tmp_path: Path) -> None:
    write_state(tmp_path, supervisor=os.getpid())
    (tmp_path / "state").chmod(0o600)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(StackError, match="another user"):
            print_status(tmp_path)
    finally:
        os.seteuid(0)
