"""./start as its user sees it: its output, its exit code, and the processes that it leaves."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest

from devtools.driver.shop import eventually
from devtools.stack.ports import Ports
from devtools.stack.spawn import PROJECT

START = (sys.executable, "-m", "devtools.stack", "start")
SERVERS = ("KAFKA_BROKERS", "MONGODB_URI", "DATABASE_URL")


def error_of_start(directory: Path, **settings: str) -> str:
    """The error output of ./start when it cannot start, on the servers of this test run."""
    env = {**os.environ, **Ports.free().as_env(), "STACK_DIR": str(directory), **settings}
    done = subprocess.run(
        START, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_taken_port_gives_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for setting in ("WEB_PORT", "WS_PORT"):
            error = error_of_start(tmp_path, **{setting: port})
            assert error == f"stockbridge: port {port} is taken: set {setting} to a free one\n"


def test_an_invalid_port_gives_one_line(tmp_path: Path) -> None:
    assert (
        error_of_start(tmp_path, WEB_PORT="eighty")
        == "stockbridge: WEB_PORT must be a port number, not 'eighty'\n"
    )


def test_a_folder_that_cannot_be_written_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "stack"
    error = error_of_start(folder)
    assert (
        error == f"stockbridge: cannot write to {folder} (Not a directory): set STACK_DIR to another folder\n"
    )


def test_a_second_start_on_the_same_folder_gives_one_line(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        error = error_of_start(tmp_path)
    assert error == f"stockbridge: another ./start is running on {tmp_path}: stop it, or set STACK_DIR\n"


def test_an_invalid_setting_gives_one_line_that_names_it(tmp_path: Path) -> None:
    error = error_of_start(tmp_path, KAFKA_PARTITIONS="many")
    assert error == "stockbridge: KAFKA_PARTITIONS must be a whole number, not 'many'.\n"


def test_ctrl_c_while_the_servers_start_leaves_no_process(tmp_path: Path) -> None:
    with running_start(tmp_path) as start:
        read_until(start, "starting kafka, mongodb, postgres")
        processes = eventually(lambda: descendants_of(start), "a server that starts")
        start.send_signal(signal.SIGINT)
        read_until(start, "stopped; the data is kept")
    assert start.returncode == 0
    assert [process for process in processes if process.is_running()] == []


@pytest.mark.timeout(300)
def test_the_system_starts_restarts_a_killed_process_and_stops_on_sigterm(tmp_path: Path) -> None:
    with running_start(tmp_path) as start:
        read_until(start, "Stockbridge is running")
        processes = descendants_of(start)
        next(process for process in processes if "granian" in process.cmdline()).kill()
        read_until(start, "web         | ended by SIGKILL; starting it again in 0.2 s")
        read_until(start, "Started worker-1")
        processes += descendants_of(start)
        start.terminate()
        read_until(start, "stopped; the data is kept")
    assert start.returncode == 0
    assert [process for process in processes if process.is_running()] == []
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_kill_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with running(
        [sys.executable, "-m", "tests.devtools.stack.small_stack", str(tmp_path)], dict(os.environ)
    ) as supervisor:
        read_until(supervisor, "running")
        eventually(
            lambda: {"postgres", "sleep"} <= {process.name() for process in descendants_of(supervisor)},
            "both processes",
        )
        processes = descendants_of(supervisor)
        supervisor.kill()
    _, orphans = psutil.wait_procs(processes, timeout=10)
    assert orphans == []


@contextmanager
def running(command: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Runs a command whose output the block reads; waits for its end after the block."""
    with subprocess.Popen(
        command, cwd=PROJECT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
            process.wait(60)
        finally:
            process.kill()


def running_start(directory: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Runs ./start with embedded servers of its own."""
    own = {name: value for name, value in os.environ.items() if name not in SERVERS}
    env = {**own, **Ports.free().as_env(), "STACK_DIR": str(directory)}
    return running([*START, "--no-demo", "--web-workers", "1"], env)


def descendants_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Reads the output until a line has these words; fails with the lines read if the output ends before."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return
    pytest.fail(f"the output ended without {words!r}:\n{''.join(lines)}")
