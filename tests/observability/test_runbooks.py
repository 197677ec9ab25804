"""Each command and query of the runbooks works on the running system."""

import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.monitoring.configuration import Trial
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack
from foundation.heartbeat import worker_processes
from tests.documents import blocks
from tests.observability.conftest import StartMonitoring

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(300)]

RUNBOOKS = PROJECT / "docs" / "runbooks"
_OURS = "run by tests/observability/test_runbooks.py"
_BROKEN_TOPIC = {"email-service-group": "order.created", "products-service-group": "inventory.reserve"}
"""Of the groups whose dead letters the runbooks name, a topic that they read."""


def lines(language: str) -> list[str]:
    """What the runbooks have in blocks of this language that are run, each once."""
    run = [
        block
        for block in blocks()
        if block.document.parent == RUNBOOKS and (block.language, block.mark) == (language, _OURS)
    ]
    return list(dict.fromkeys(line for block in run for line in block.text.splitlines()))


COMMANDS = lines("sh")
WORKERS = [each for each in COMMANDS if each.startswith("manage.py run_")]


def run(command: str, stack: Stack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.replace("http://localhost:8000", stack.urls["web"])],
        cwd=PROJECT,
        env=environment(stack),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(stack: Stack) -> dict[str, str]:
    """As an operator has it in the folder of the project."""
    path = os.pathsep.join([str(PROJECT), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, **stack.env, "PATH": path}


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in WORKERS])
def test_a_command_works(command: str, stack: Stack, kafka_client: KafkaClient) -> None:
    if group := re.search(r"(?:redrive|discard) --group (\S+)", command):
        add_dead_letter(group[1], kafka_client)
    done = run(command, stack)
    # `./start status` ends with 1 where something is wrong, and the tests before may have left dead letters.
    assert done.returncode in ({0, 1} if command == "./start status" else {0}), done.stdout + done.stderr


def add_dead_letter(group: str, kafka_client: KafkaClient) -> None:
    """Have the group give up a message that is no JSON."""
    key = uuid.uuid4().hex
    kafka_client.send(_BROKEN_TOPIC[group], key, b"{")
    kafka_client.of_order(key, f"{group}.dlq")


@pytest.mark.parametrize("command", WORKERS)
def test_a_worker_can_be_started_by_hand_and_ends_with_ctrl_c(command: str, stack: Stack) -> None:
    started = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=PROJECT, env=environment(stack))
    try:
        eventually(lambda: started.pid in warm(stack) or started.poll(), f"{command} works", seconds=60)
    finally:
        started.send_signal(signal.SIGINT)
    assert started.wait(timeout=30) == 0


def warm(stack: Stack) -> set[int]:
    processes = worker_processes(Path(stack.env["PROMETHEUS_MULTIPROC_DIR"]), silent_after=15)
    return {each.pid for each in processes if each.is_warm}


def test_prometheus_understands_the_queries(start_monitoring: StartMonitoring, stack: Stack) -> None:
    address = stack.urls["web"].removeprefix("http://")
    monitoring = start_monitoring(Trial(targets={"stockbridge": [address]}))
    monitoring.wait_for_scrape()
    for query in lines("promql"):
        monitoring.query(query)
