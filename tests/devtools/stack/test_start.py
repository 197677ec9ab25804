"""./start as its user sees it: its output, its exit code, and the processes that it leaves."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from devtools.driver.shop import eventually
from devtools.stack.kafka import KafkaBroker
from devtools.stack.mongo import MongoServer
from devtools.stack.ports import Ports, free_ports
from devtools.stack.postgres import PostgresServer
from devtools.stack.servers import start_all, stop_all
from devtools.stack.spawn import PROJECT

START = (sys.executable, "-m", "devtools.stack", "start")
GATEWAY = ("STRIPE_API_BASE", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
SERVERS = ("KAFKA_BROKERS", "MONGODB_URI", "DATABASE_URL", *GATEWAY, "EMAIL_URL")


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


@pytest.mark.parametrize("setting", ["PAYMENTS_PORT", "SMTP_PORT", "MAIL_PORT"])
def test_a_taken_port_of_the_sandbox_or_the_catcher_gives_one_line(tmp_path: Path, setting: str) -> None:
    replaced = dict.fromkeys((*GATEWAY, "EMAIL_URL"), "")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        error = error_of_start(tmp_path, **replaced, **{setting: port})
    assert error == f"stockbridge: port {port} is taken: set {setting} to a free one\n"


def test_an_invalid_port_gives_one_line(tmp_path: Path) -> None:
    assert (
        error_of_start(tmp_path, WEB_PORT="eighty")
        == "stockbridge: WEB_PORT must be a port number, not 'eighty'\n"
    )


def test_two_ports_that_are_one_give_one_line(tmp_path: Path) -> None:
    port = str(Ports.free().web)
    assert (
        error_of_start(tmp_path, WEB_PORT=port, WS_PORT=port)
        == f"stockbridge: WEB_PORT and WS_PORT are both {port}: give them different ports\n"
    )


def test_a_host_that_is_not_of_this_machine_gives_one_line(tmp_path: Path) -> None:
    assert (
        error_of_start(tmp_path, WEB_HOST="192.0.2.1")
        == "stockbridge: WEB_HOST must be an address of this machine, and '192.0.2.1' is none\n"
    )


def test_a_broken_file_of_settings_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("SECRET_KEY='never closed")
    assert (
        error_of_start(tmp_path) == f"stockbridge: {tmp_path / 'env'} cannot be read (No closing quotation): "
        "mend it, or remove it for new secrets\n"
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


def test_a_folder_that_others_control_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    error = error_of_start(tmp_path)
    assert error == f"stockbridge: anybody may write to {tmp_path}: set STACK_DIR to a folder of your own\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    shutil.chown(tmp_path, "nobody")
    error = error_of_start(tmp_path)
    assert (
        error == f"stockbridge: {tmp_path} belongs to another user: set STACK_DIR to a folder of your own\n"
    )


def test_an_invalid_setting_gives_one_line_that_names_it(tmp_path: Path) -> None:
    error = error_of_start(tmp_path, KAFKA_PARTITIONS="many")
    assert error == "stockbridge: KAFKA_PARTITIONS must be a whole number, not 'many'.\n"


def test_ctrl_c_while_the_servers_start_leaves_no_process(tmp_path: Path) -> None:
    with running_start(tmp_path, Ports.free()) as start:
        read_until(start, "starting kafka, mongodb, postgres, sandbox, catcher")
        processes = eventually(lambda: descendants_of(start), "a server that starts")
        start.send_signal(signal.SIGINT)
        read_until(start, "stopped; the data is kept")
    assert start.returncode == 0
    assert [process for process in processes if process.is_running()] == []


@pytest.mark.timeout(300)
def test_the_system_restarts_what_is_killed_starts_after_kill_9_of_all_and_stops_on_sigterm(
    tmp_path: Path,
) -> None:
    ports = Ports.free()
    with running_start(tmp_path, ports) as start:
        read_until(start, "Stockbridge is running")
        processes = descendants_of(start)
        next(process for process in processes if "web.server" in process.cmdline()).kill()
        read_until(start, "web         | ended by SIGKILL; starting it again in")
        read_until(start, "Started server process")
        pids = pids_of(tmp_path)
        for server in ("kafka", "mongodb", "postgres", "sandbox", "catcher"):
            os.kill(pids[server], signal.SIGKILL)
            read_until(start, f"{server:11} | ended by SIGKILL; starting it again in")
            read_until(start, f"{server:11} | runs again")
        assert status_when_well(tmp_path)["postgres"][-1] == "1", "the restarts of a server"
        suspended = psutil.Process(pids["holds"])
        suspended.suspend()
        read_until(start, "stack       | holds is frozen by a signal: kill -CONT")
        code, lines = status_of(tmp_path)
        assert (code, "  holds is frozen by a signal: kill -CONT" in "\n".join(lines)) == (1, True)
        processes += descendants_of(start)
        for process in (psutil.Process(start.pid), *descendants_of(start)):
            with suppress(psutil.NoSuchProcess):  # it has ended with the one before it
                process.kill()
    assert status_of(tmp_path) == (2, [f"Stockbridge does not run on {tmp_path}."])
    with running_start(tmp_path, ports) as start:
        read_until(start, "Stockbridge is running")
        processes += descendants_of(start)
        start.terminate()
        read_until(start, "stopped; the data is kept")
    assert start.returncode == 0
    assert [process for process in processes if process.is_running()] == []
    open_to_others = [path for path in tmp_path.rglob("*") if path.lstat().st_mode & 0o077]
    assert [path for path in open_to_others if not path.is_symlink()] == []


@pytest.mark.timeout(300)
def test_databases_that_are_away_are_waited_for_and_a_broker_is_not(tmp_path: Path) -> None:
    numbers = free_ports(3)
    postgres = PostgresServer(tmp_path / "own" / "postgres", numbers[0])
    mongo = MongoServer(tmp_path / "own" / "mongodb", numbers[1])
    kafka = KafkaBroker(tmp_path / "own" / "kafka", numbers[2])
    servers = {"DATABASE_URL": postgres.url, "MONGODB_URI": mongo.url, "KAFKA_BROKERS": kafka.url}
    directory = tmp_path / "stack"
    try:
        start_all([postgres, mongo])  # once, so that they have their users and databases
        stop_all([postgres, mongo])
        with running_start(directory, Ports.free(), **servers) as start:
            read_until(start, "stack       | waiting for PostgreSQL (DATABASE_URL): connection")
            assert status_of(directory)[0] == 1
            postgres.start()
            read_until(start, "stack       | waiting for MongoDB (MONGODB_URI)")
            mongo.start()
            read_until(start, "stack       | orders are taken, and settled when Kafka is back: ")
            read_until(start, "Stockbridge is running")
            code, lines = status_of(directory)
            assert (code, "  waits for Kafka (KAFKA_BROKERS)" in "\n".join(lines)) == (1, True)
            kafka.start()
            read_until(start, "stack       | Kafka is there: the topics are created")
            status_when_well(directory)
            start.terminate()
            read_until(start, "stopped; the data is kept")
    finally:
        stop_all([postgres, mongo, kafka])


def test_a_database_that_refuses_the_password_is_one_line_and_not_waited_for(
    tmp_path: Path, postgresql: str
) -> None:
    wrong = re.sub(r"//.*@", "//postgres:wrong@", postgresql)
    error = error_of_start(tmp_path, DATABASE_URL=wrong)
    assert "password authentication failed" in error


def test_status_without_a_virtual_environment_that_works_says_so(tmp_path: Path) -> None:
    for path in ("start", "devtools/stack/set-up.sh"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / path, tmp_path / path)
    command = [str(tmp_path / "start"), "status"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (
        2,
        "Stockbridge does not run here: it was never installed.\n",
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(tmp_path / "missing")
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (
        1,
        f"stockbridge: {tmp_path}/.venv/bin/python does not run for this user\n",
    )


def test_kill_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with running(
        [sys.executable, "-m", "tests.devtools.stack.small_stack", str(tmp_path)], dict(os.environ)
    ) as supervisor:
        read_until(supervisor, "running")
        eventually(
            lambda: {"postgres", "sleep"} <= names_of(descendants_of(supervisor)),
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


def running_start(
    directory: Path, ports: Ports, **settings: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    """Runs ./start; with embedded servers of its own, where the settings name no others."""
    own = {name: value for name, value in os.environ.items() if name not in SERVERS}
    env = {**own, **ports.as_env(), "STACK_DIR": str(directory), **settings}
    return running([*START, "--no-demo", "--web-workers", "1"], env)


def status_of(directory: Path) -> tuple[int, list[str]]:
    """The exit code of `./start status` from another shell, and its lines, which fit a narrow terminal."""
    own = {name: value for name, value in os.environ.items() if name not in SERVERS}
    env = {**own, "STACK_DIR": str(directory)}
    done = subprocess.run(
        [*START, "status"], cwd=PROJECT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert [line for line in lines if len(line) > 80 and str(directory) not in line] == []
    return done.returncode, lines


def status_when_well(directory: Path) -> dict[str, list[str]]:
    """Waits until nothing is wrong; the words of each line by the first of them."""
    lines: list[str] = []

    def is_well() -> bool:
        code, lines[:] = status_of(directory)
        return code == 0

    eventually(is_well, "a status without faults", seconds=60)
    assert lines[-2:] == ["wrong", "  nothing"]
    assert any("orders-service-group: " in line for line in lines)
    assert "  account mails: 0 waiting" in lines
    return {line.split()[0]: line.split() for line in lines if line}


def pids_of(directory: Path) -> dict[str, int]:
    """The process ids of the parts, as `./start status` prints them."""
    _, lines = status_of(directory)
    table = lines[lines.index("") + 2 : lines.index("behind") - 1]
    return {name: int(pid) for name, pid, *_ in (line.split() for line in table)}


def descendants_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def names_of(processes: Sequence[psutil.Process]) -> set[str]:
    """The names of those that still run: PostgreSQL ends some of its processes at any time."""
    names = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            names.add(process.name())
    return names


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Reads the output until a line has these words; fails with the lines read if the output ends before."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return
    pytest.fail(f"the output ended without {words!r}:\n{''.join(lines)}")
