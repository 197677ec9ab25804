"""`manage.py` as an operator runs it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devtools.stack.ports import free_ports
from devtools.stack.spawn import PROJECT
from tests.python_process import run_python

SHORT = [
    ["check"],
    ["consumer_lag"],
    ["dead_letters", "list"],
    ["parked_events", "list"],
    ["replay_orders"],
    ["audit_stock", "--grace", "0"],
    ["expire_holds", "--once"],
    ["kafka_access", "--dry-run"],
]


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_python("manage.py", *arguments, **environment)


@pytest.mark.parametrize("command", SHORT, ids=" ".join)
def test_a_command_that_ends_leaves_no_metrics_behind(command: list[str], tmp_path: Path) -> None:
    stack = tmp_path / "stack"
    stack.mkdir()
    (tmp_path / "metrics").mkdir()
    (stack / "env").write_text(f"PROMETHEUS_MULTIPROC_DIR={tmp_path / 'metrics'}\n")
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    manage(
        *command,
        STACK_DIR=str(stack),
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics"),
        KAFKA_BROKERS=nowhere,
        DATABASE_URL=f"postgres://u@{nowhere}/d",
        MONGODB_URI=f"mongodb://{nowhere}/d?serverSelectionTimeoutMS=500",
    )
    assert list((tmp_path / "metrics").iterdir()) == []


def test_a_command_whose_reader_has_ended_ends_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "manage.py", "diffsettings", "--all"],
        cwd=PROJECT,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize(
    "command", [["consumer_lag"], ["dead_letters", "list"], ["create_topics"], ["kafka_access"]], ids=" ".join
)
def test_a_command_says_within_seconds_that_the_broker_is_away(command: list[str]) -> None:
    began = time.monotonic()
    done = manage(*command, KAFKA_BROKERS=f"127.0.0.1:{free_ports(1)[0]}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Kafka is unavailable" in done.stderr.splitlines()[-1]
    assert time.monotonic() - began < 20, "3 s for the broker, the rest for the start on a busy machine"


def test_a_command_says_in_one_line_that_postgresql_is_away() -> None:
    done = manage("parked_events", "list", DATABASE_URL=f"postgres://u@127.0.0.1:{free_ports(1)[0]}/d")
    assert done.returncode == 1
    assert "PostgreSQL is unavailable" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_order_id_is_named_with_the_form_that_it_takes() -> None:
    done = manage("parked_events", "retry", "o-1")
    assert "'o-1' is no order id such as" in done.stderr
