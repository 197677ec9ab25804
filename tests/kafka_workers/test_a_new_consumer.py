"""A new consumer needs its module, its command and one entry in the table of workers, and nothing else.

The tests follow docs/new-consumer.md to the letter, in a copy of the project, and change no other file.
"""

import json
import os
import signal
import sys
import uuid
from pathlib import Path

import pytest

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.stack.processes import Process
from devtools.stack.spawn import PROJECT
from devtools.stack.supervised import SupervisedProcess
from tests.documents import blocks
from tests.project_copy import ProjectCopy

GUIDE = PROJECT / "docs" / "new-consumer.md"
MODULE, ENTRY, COMMAND = (
    block.text for block in blocks() if block.document == GUIDE and block.language == "python"
)
GROUP = "toy-service-group"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy of the project with the toy consumer in it."""
    copy = ProjectCopy(tmp_path_factory.mktemp("project"))
    package = copy.directory / "kafka_workers"
    (package / "consumers" / "toy.py").write_text(MODULE)
    (package / "management" / "commands" / "run_toy_consumer.py").write_text(COMMAND)
    table = package / "workers.py"
    before, mark, after = table.read_text().partition("\nWORKERS = ")
    table.write_text(f"{before}\n{ENTRY}\n{mark}{after}")
    return copy


def test_start_has_an_option_for_its_number_before_any_package_is_installed(copy: ProjectCopy) -> None:
    without_packages = "-S"
    printed = copy.run(without_packages, "-m", "devtools.stack.options", "--help")
    assert "--toy-workers N" in printed
    assert "to log which orders were placed" in " ".join(printed.split())


PAGES = {"workers.md", "topics.md", "kafka-access.md", "asyncapi.yaml"}
MANIFESTS = {"processes.yaml", "budgets.yaml", "kafka-users.yaml", "scaled-consumers.yaml"}


def test_the_reference_pages_and_manifests_change_by_its_entry_alone_and_name_it(copy: ProjectCopy) -> None:
    changes = copy.manage("generate_docs", "--check", code=1).splitlines()
    changed = {line.split()[1] for line in changes if line.startswith("+++ ")}
    assert changed == PAGES | MANIFESTS
    removed = [line for line in changes if line.startswith("-") and not line.startswith("--- ")]
    assert [line.split()[1] for line in removed] == ["`order.created`"], (
        "its readers are no longer only external services"
    )
    copy.manage("generate_docs")
    for name in changed:
        [path] = copy.directory.rglob(name)
        assert "toy" in path.read_text()


def test_its_user_may_do_what_it_needs_and_no_more(copy: ProjectCopy) -> None:
    printed = copy.manage("kafka_access", "--dry-run").splitlines()
    retries = [f"topic {GROUP}.retry.{number}" for number in (1, 2, 3)]
    assert sorted(line for line in printed if line.startswith("User:stockbridge-toy ")) == sorted(
        [
            f"User:stockbridge-toy may READ the group {GROUP}",
            "User:stockbridge-toy may READ the topic order.created",
            *(f"User:stockbridge-toy may READ the {topic}" for topic in retries),
            *(f"User:stockbridge-toy may WRITE the {topic}" for topic in retries),
            f"User:stockbridge-toy may WRITE the topic {GROUP}.dlq",
        ]
    )


def test_the_fault_suite_kills_it_and_the_benchmarks_measure_it(copy: ProjectCopy) -> None:
    faults = {line.split()[0] for line in copy.run("-m", "devtools.faults", "--list").splitlines()}
    assert {"kill-toy", "freeze-toy", "toy-before-handling", "toy-in-rebalance"} <= faults
    printed = copy.run("-c", "from devtools.benchmarks.rows.orders import MemoryResult; help(MemoryResult)")
    assert "toy: float" in printed


def test_it_passes_all_checks_of_the_table(copy: ProjectCopy, kafka_client: KafkaClient) -> None:
    printed = copy.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kafka_workers/test_workers.py")
    assert "failed" not in printed


def test_it_works_restarts_after_a_kill_and_ends_on_sigterm(
    copy: ProjectCopy, kafka_client: KafkaClient, tmp_path: Path
) -> None:
    created = copy.manage("create_topics").splitlines()
    own = {f"{GROUP}.retry.1", f"{GROUP}.retry.2", f"{GROUP}.retry.3", f"{GROUP}.dlq", f"{GROUP}.dlq.settled"}
    assert {f"created {topic}" for topic in own} <= set(created)
    command = (sys.executable, str(copy.directory / "manage.py"), "run_toy_consumer")
    toy = SupervisedProcess(Process("toy", command), env=os.environ, logs=tmp_path)

    def has_logged(text: str) -> bool:
        return toy.log_path.exists() and text in toy.log_path.read_text()

    def handles_an_order() -> None:
        order = uuid.uuid4().hex

        def is_logged() -> bool:
            # Sent again: a line names the first orders of its batch, and those may be other tests'.
            kafka_client.send("order.created", order, b"{}")
            return has_logged(order)

        eventually(is_logged, "the order is handled", seconds=60)

    toy.start()
    try:
        handles_an_order()
        toy.kill()
        eventually(lambda: has_logged("ended by SIGKILL; starting it again"), "it is killed")
        handles_an_order()
        lags = json.loads(copy.manage("consumer_lag", "--group", GROUP, "--json"))
        assert {lag["topic"] for lag in lags} == {
            "order.created",
            *(topic for topic in own if "retry" in topic),
        }
        assert toy.pid
        os.kill(toy.pid, signal.SIGTERM)
        eventually(lambda: has_logged("ended with exit code 0; starting it again"), "it ends")
    finally:
        toy.stop()
