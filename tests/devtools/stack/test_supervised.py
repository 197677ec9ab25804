"""A supervised process is started again after each end, until stop() is called."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from devtools.driver.shop import eventually
from devtools.stack import supervised
from devtools.stack.processes import Process
from devtools.stack.supervised import SupervisedProcess

Launch = Callable[..., SupervisedProcess]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    launched = []

    def launch(script: str, **extra_env: str) -> SupervisedProcess:
        process = SupervisedProcess(
            Process("worker", ("bash", "-c", script)), env=dict(os.environ), logs=tmp_path
        )
        launched.append(process)
        process.start(extra_env)
        return process

    yield launch
    for process in launched:
        process.stop()


def lines_of(process: SupervisedProcess) -> list[str]:
    return process.log_path.read_text().splitlines() if process.log_path.exists() else []


def wait_for_lines(count: int, process: SupervisedProcess) -> list[str]:
    eventually(lambda: len(lines_of(process)) >= count, f"{count} lines")
    return lines_of(process)


def test_a_killed_process_is_started_again_within_a_second_and_the_log_says_so(launch: Launch) -> None:
    process = launch("echo ready $$; exec sleep 1000")
    first = wait_for_lines(1, process)[0]
    killed = time.monotonic()
    process.kill()
    lines = wait_for_lines(3, process)
    assert time.monotonic() - killed < 1
    assert lines[1] == "ended by SIGKILL; starting it again in 0.2 s"
    assert lines[2].startswith("ready ")
    assert lines[2] != first


def test_a_process_that_logs_much_does_not_wait_for_the_reader(launch: Launch) -> None:
    """A relay writes 1 MB a second, and more with a backlog; here 4 MB are written as fast as can be."""
    process = launch("yes 'a line of the log' | head -n 200000; echo $SECONDS seconds; exec sleep 1000")
    assert int(wait_for_lines(200_001, process)[-1].split()[0]) <= 1


def test_a_process_that_crashes_immediately_is_started_again_after_growing_pauses(launch: Launch) -> None:
    process = launch("exit 3")
    lines = wait_for_lines(3, process)
    line = "ended with exit code 3; starting it again in {} s"
    assert lines[:3] == [line.format(pause) for pause in ("0.2", "0.4", "0.8")]


def test_extra_environment_is_for_one_launch_only(launch: Launch) -> None:
    process = launch("echo kill point ${KILL_AT:-none}; exec sleep 1000", KILL_AT="commit")
    eventually(lambda: "kill point commit" in lines_of(process), "the first launch")
    process.kill()
    eventually(lambda: "kill point none" in lines_of(process), "the second launch")


def test_children_of_a_killed_process_are_ended(launch: Launch) -> None:
    process = launch("sleep 1000 & echo $!; wait")
    child = psutil.Process(int(wait_for_lines(1, process)[0]))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not child.is_running(), "the child's end")


def test_a_process_that_ignores_sigterm_is_killed_and_the_log_says_so(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "_STOP_SECONDS", 0.5)
    process = launch("trap '' TERM; echo ready; while true; do sleep 0.1; done")
    wait_for_lines(1, process)
    process.stop()
    assert process.pid is None
    assert lines_of(process)[-1] == "did not end in 0.5 s: killed"


def test_a_paused_process_can_be_stopped(launch: Launch) -> None:
    process = launch("trap 'echo goodbye; exit' TERM; echo ready; while true; do sleep 0.1; done")
    wait_for_lines(1, process)
    process.pause()
    process.stop()
    assert lines_of(process) == ["ready", "goodbye"]
