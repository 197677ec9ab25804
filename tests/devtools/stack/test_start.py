"""./start as its user meets it: what it says, what it leaves."""

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


def refusal(directory: Path, **settings: str) -> str:
    """What ./start says when it cannot start, on the servers of this test run."""
    env = {**os.environ, **Ports.free().as_env(), "STACK_DIR": str(directory), **settings}
    refused = subprocess.run(
        START, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    return refused.stderr


def test_a_taken_port_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for setting in ("WEB_PORT", "WS_PORT"):
            said = refusal(tmp_path, **{setting: port})
            assert said == f"stockbridge: port {port} is taken: set {setting} to a free one\n"


def test_a_port_that_is_none_is_one_line(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, WEB_PORT="eighty") == "stockbridge: WEB_PORT must be a port number, not 'eighty'\n"
    )


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "stack"
    said = refusal(folder)
    assert (
        said == f"stockbridge: cannot write to {folder} (Not a directory): set STACK_DIR to another folder\n"
    )


def test_a_second_start_on_the_same_folder_is_one_line(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refusal(tmp_path)
    assert said == f"stockbridge: another ./start is running on {tmp_path}: stop it, or set STACK_DIR\n"


def test_a_setting_that_cannot_be_used_is_one_line_that_names_it(tmp_path: Path) -> None:
    said = refusal(tmp_path, KAFKA_PARTITIONS="many")
    assert said == "stockbridge: KAFKA_PARTITIONS must be a whole number, not 'many'.\n"


def test_ctrl_c_while_the_servers_start_leaves_no_process(tmp_path: Path) -> None:
    with started(tmp_path) as start:
        said_until(start, "starting kafka, mongodb, postgres")
        family = eventually(lambda: family_of(start), "a server on its way")
        start.send_signal(signal.SIGINT)
        said_until(start, "stopped; the data is kept")
    assert start.returncode == 0
    assert [process for process in family if process.is_running()] == []


@pytest.mark.timeout(300)
def test_the_system_starts_mends_itself_and_stops_on_sigterm(tmp_path: Path) -> None:
    with started(tmp_path) as start:
        said_until(start, "Stockbridge is running")
        family = family_of(start)
        next(process for process in family if "granian" in process.cmdline()).kill()
        said_until(start, "web         | ended by SIGKILL; starting it again in 0.2 s")
        said_until(start, "Started worker-1")
        family += family_of(start)
        start.terminate()
        said_until(start, "stopped; the data is kept")
    assert start.returncode == 0
    assert [process for process in family if process.is_running()] == []
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_kill_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with running(
        [sys.executable, "-m", "tests.devtools.stack.stand_in", str(tmp_path)], dict(os.environ)
    ) as supervisor:
        said_until(supervisor, "running")
        eventually(
            lambda: {"postgres", "sleep"} <= {process.name() for process in family_of(supervisor)}, "both"
        )
        family = family_of(supervisor)
        supervisor.kill()
    _, orphans = psutil.wait_procs(family, timeout=10)
    assert orphans == []


@contextmanager
def running(command: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command whose output can be read on; it has ended after the block."""
    with subprocess.Popen(
        command, cwd=PROJECT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
            process.wait(60)
        finally:
            process.kill()


def started(directory: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """./start with servers of its own."""
    own = {name: value for name, value in os.environ.items() if name not in SERVERS}
    env = {**own, **Ports.free().as_env(), "STACK_DIR": str(directory)}
    return running([*START, "--no-demo", "--web-workers", "1"], env)


def family_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def said_until(process: subprocess.Popen[str], words: str) -> None:
    """Reads on until a line has these words; fails with all that was read when the output ends before."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}:\n{''.join(said)}")
