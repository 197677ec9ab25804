"""Workers as processes: how they end, whenever they are asked to, and what they say when they fail."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from foundation import heartbeat
from kafka_workers.workers import WORKERS, Worker
from tests.python_process import run_python

NOTHING_LISTENS = {
    "SECRET_KEY": "x" * 50,
    "DEBUG": "false",
    "PLAIN_HTTP": "true",
    "DATABASE_URL": "postgres://x@127.0.0.1:1/x",
    "MONGODB_URI": "mongodb://127.0.0.1:1/x",
    "KAFKA_BROKERS": "127.0.0.1:1",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "PUBLIC_URL": "http://localhost:1",
    "LOG_FORMAT": "json",
}


def start(worker: Worker, *options: str, **environment: str) -> "subprocess.Popen[str]":
    return run_command(worker.command, *options, **environment)


def run_command(command: str, *options: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *options, "manage.py", command],
        env=os.environ | NOTHING_LISTENS | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def code_after_signal(command: str, module: str, number: signal.Signals) -> int:
    """The exit code of a command that gets this signal as soon as it has loaded this module."""
    with run_command(command, "-X", "importtime") as process:
        assert process.stderr
        for line in process.stderr:
            if line.rpartition("|")[2].strip() == module:
                process.send_signal(number)
                break
        process.communicate(timeout=30)
        return process.returncode


@pytest.mark.parametrize(
    "module",
    [
        "kafka_workers.workers",
        "structlog",
        "django.core.management",
        "kafka_workers.management.worker_command",
    ],
)
@pytest.mark.parametrize(("worker", "number"), [(WORKERS[1], signal.SIGTERM), (WORKERS[-1], signal.SIGINT)])
def test_a_worker_ends_with_0_however_early_it_is_asked_to(
    worker: Worker, number: signal.Signals, module: str
) -> None:
    assert code_after_signal(worker.command, module, number) == 0


def test_another_command_that_is_ended_while_it_loads_has_not_succeeded() -> None:
    assert code_after_signal("check", "kafka_workers.workers", signal.SIGTERM) == -signal.SIGTERM


def test_a_worker_beats_while_its_dependencies_are_away_and_leaves_no_record(tmp_path: Path) -> None:
    started = {worker.name: start(worker, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) for worker in WORKERS}

    def found() -> list[heartbeat.WorkerProcess]:
        return heartbeat.worker_processes(tmp_path, silent_after=15)

    def working() -> bool:
        return {each.worker for each in found() if each.state == "working"} == started.keys()

    eventually(working, "every worker beats")
    first = {each.pid: time.monotonic() - each.silent_seconds for each in found()}

    def have_beaten_again() -> bool:
        return all(time.monotonic() - each.silent_seconds > first[each.pid] + 2 for each in found())

    eventually(have_beaten_again, "they go on")
    assert working()
    assert not any(each.is_warm for each in found())
    for process in started.values():
        process.send_signal(signal.SIGTERM)
    for process in started.values():
        with process:
            assert process.wait(15) == 0
    assert found() == []


def test_the_last_words_of_a_worker_that_fails_are_a_line_like_others(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['kafka_workers.relay.outbox_relay'] = None  # importing it fails\n"
    )
    with start(WORKERS[0], PYTHONPATH=str(tmp_path), PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    last = json.loads(errors.splitlines()[-1])
    assert (last["log.level"], last["message"]) == ("critical", "process failed")
    assert last["error.type"] == "ModuleNotFoundError"
    [record] = heartbeat.worker_processes(tmp_path, silent_after=5)
    assert record.state == "ended"


def test_an_error_that_ends_a_thread_is_a_line_like_others() -> None:
    program = (
        "import threading; from foundation.logging import log_uncaught_errors; log_uncaught_errors();"
        "threading.Thread(target=lambda: 1 / 0, name='feeder').start()"
    )
    line = json.loads(run_python("-c", program, LOG_FORMAT="json").stderr)
    assert (line["message"], line["error.type"]) == ("thread feeder failed", "ZeroDivisionError")


DAPHNE = ("-m", "daphne", "-p", "0", "config.asgi:application")


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("command", [("manage.py", WORKERS[0].command), DAPHNE], ids=["worker", "sockets"])
def test_a_setting_that_cannot_be_used_is_one_sentence_in_the_format_of_the_log(
    command: Sequence[str], log_format: str
) -> None:
    environment = NOTHING_LISTENS | {"LOG_FORMAT": log_format, "BREAKER_PROBE": "0"}
    ended = run_python(*command, **environment)
    sentence = "BREAKER_PROBE must be at least 1, not 0."
    assert ended.returncode == 1
    if log_format == "json":
        assert json.loads(ended.stderr)["message"] == sentence
    else:
        assert ended.stderr == f"stockbridge: {sentence}\n"
