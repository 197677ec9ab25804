"""What `/health/ready`, `/metrics` and the log tell of workers that are frozen, killed or tripped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory
from prometheus_client import REGISTRY
from pytest_django import Settings
from structlog.types import EventDict

from devtools.driver.shop import eventually
from foundation import heartbeat
from foundation.heartbeat import Heartbeat, OpenBreaker
from web.health import Sentences, readiness
from web.worker_health import Watch, update_worker_processes

Process = subprocess.Popen[str]
Start = Callable[[str], Process]

WORKER = """
import sys, time
from foundation.heartbeat import Heartbeat
heartbeat = Heartbeat(sys.argv[1])
print("ready", flush=True)
while True:
    heartbeat.beat()
    time.sleep(0.05)
"""
SENTENCES = Sentences(ready="ready", not_ready="no", without_optional="-", with_warnings="something is wrong")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Path:
    """The directory that the processes share; a worker is silent after a second and a half there."""
    settings.SILENT_SECONDS = 1.5
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def start(directory: Path) -> Iterator[Start]:
    """Starts a process that beats as a worker of this name."""
    processes = []

    def start_worker(worker: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, worker], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    yield start_worker
    for process in processes:
        with process:
            process.kill()


def body() -> dict[str, Any]:
    view = readiness(required={}, optional={}, neighbours={}, sentences=SENTENCES)
    response = view(RequestFactory().get("/"))
    assert response.status_code == 200
    return dict(json.loads(response.content))


def states(worker: str) -> list[str]:
    return [each["state"] for each in body()["workers"][worker]]


def warnings() -> list[tuple[str, str]]:
    return [(each["name"], each["reason"]) for each in body()["warnings"]]


def test_a_working_worker_is_shown_as_such(start: Start) -> None:
    process = start("relay")
    found = body()
    assert (found["status"], found["warnings"], found["breakers"]) == ("ready", [], [])
    [shown] = found["workers"]["relay"]
    assert (shown["pid"], shown["state"]) == (process.pid, "working")
    assert 0 <= shown["silentSeconds"] < 1.5


def test_a_frozen_worker_is_named_while_others_of_its_kind_work(start: Start) -> None:
    start("inventory")
    frozen = start("inventory")
    frozen.send_signal(signal.SIGSTOP)
    [(name, reason)] = eventually(warnings, "a warning")
    assert name == "inventory"
    assert reason.startswith(f"process {frozen.pid} runs, but has given no sign of work for ")
    assert body()["status"] == "something is wrong"
    assert sorted(states("inventory")) == ["silent", "working"]
    frozen.send_signal(signal.SIGCONT)
    eventually(lambda: not warnings(), "it works again")


def test_a_killed_worker_is_missed_until_another_takes_its_place(start: Start) -> None:
    killed = start("order")
    killed.kill()
    killed.wait()
    assert states("order") == ["ended"]
    assert warnings() == []
    [(name, reason)] = eventually(warnings, "a warning")
    assert (name, reason) == (
        "order",
        f"process {killed.pid} has failed or was killed, and no other has taken its place",
    )
    start("order")
    assert (states("order"), warnings()) == (["working"], [])


def test_a_process_that_was_replaced_many_times_leaves_nothing(start: Start) -> None:
    for _ in range(4):
        process = start("order")
        process.kill()
        process.wait()
    start("order")
    assert states("order") == ["working"]


def test_a_worker_that_ends_as_it_should_is_not_missed() -> None:
    Heartbeat("holds").end()
    assert "holds" not in body()["workers"]


def test_an_open_breaker_is_told_with_its_group_reason_and_times() -> None:
    since = datetime.now(UTC).replace(microsecond=0)
    record = Heartbeat("inventory")
    record.tell(OpenBreaker("products-service-group", "50 in a row", since, since + timedelta(seconds=60)))
    [shown] = body()["breakers"]
    assert shown["group"] == "products-service-group"
    assert (shown["worker"], shown["pid"], shown["reason"]) == ("inventory", os.getpid(), "50 in a row")
    assert datetime.fromisoformat(shown["tryAt"]) - datetime.fromisoformat(shown["since"]) == timedelta(0, 60)
    [(name, reason)] = warnings()
    assert name == "products-service-group"
    assert reason.endswith(": 50 in a row")
    record.tell(None)
    assert (body()["breakers"], warnings()) == ([], [])
    record.end()


def test_what_others_do_that_keeps_a_worker_from_its_work_is_a_warning() -> None:
    record = Heartbeat("inventory")
    record.tell_hindrances(["inventory.reserve/0: messages wait for an open transaction"])
    [warning] = body()["warnings"]
    assert (warning["kind"], warning["name"]) == ("neighbour", "inventory")
    assert warning["reason"] == "inventory.reserve/0: messages wait for an open transaction"
    record.tell_hindrances([])
    assert warnings() == []
    record.end()


def test_without_a_shared_directory_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    Heartbeat("relay").beat()
    found = body()
    assert (found["status"], found["workers"], found["breakers"]) == ("ready", None, None)


def test_records_that_cannot_be_read_are_passed_over(start: Start, directory: Path) -> None:
    start("relay")
    (directory / "empty-1.heartbeat").touch()
    (directory / "broken-1.heartbeat").write_bytes(b"\xff" * 40)
    assert body()["workers"].keys() == {"relay"}


def test_the_metrics_have_the_last_beat_and_the_processes_of_each_worker(start: Start) -> None:
    start("inventory")
    killed = start("inventory")
    killed.kill()
    killed.wait()
    update_worker_processes()

    def processes(state: str) -> float | None:
        labels = {"worker": "inventory", "state": state}
        return REGISTRY.get_sample_value("stockbridge_worker_processes", labels)

    assert [processes(state) for state in ("working", "silent", "ended")] == [1, 0, 1]
    record = Heartbeat("beating")
    name = "stockbridge_worker_heartbeat_timestamp_seconds"
    assert abs((REGISTRY.get_sample_value(name, {"worker": "beating"}) or 0) - time.time()) < 5
    record.end()


def test_the_log_says_once_that_a_worker_is_silent_and_once_that_it_works(
    start: Start, captured_log: list[EventDict]
) -> None:
    record = Heartbeat("web")
    watch = Watch("web")
    frozen = start("relay")
    frozen.send_signal(signal.SIGSTOP)

    def events() -> list[str]:
        record.beat()
        watch.look()
        return [entry["event"] for entry in captured_log]

    eventually(events, "a line")
    events()
    [entry] = captured_log
    assert (entry["event"], entry["worker"], entry["log_level"]) == ("worker does not work", "relay", "error")
    frozen.send_signal(signal.SIGCONT)
    eventually(lambda: len(events()) > 1, "a second line")
    events()
    assert [entry["event"] for entry in captured_log[1:]] == ["worker works again, or is replaced"]
    record.end()


def test_a_beat_costs_next_to_nothing() -> None:
    heartbeat.begin("busy")
    started = time.process_time()
    for _ in range(100_000):
        heartbeat.beat()
    assert time.process_time() - started < 0.5
