"""Every command of the Kafka cookbook runs, on a broker that has an order's messages."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from django.core.management import call_command

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.kafka_tool import TOOLS
from devtools.stack.spawn import PROJECT
from tests.database import in_test_database

pytestmark = [pytest.mark.java, pytest.mark.django_db]

COOKBOOK = (PROJECT / "docs" / "kafka-cookbook.md").read_text()
BLOCKS = re.findall(r"^```sh( kcat)?\n(.*?)^```$", COOKBOOK, re.MULTILINE | re.DOTALL)
PREPARATION = BLOCKS[0][1]
ORDER_ID = "00000000-0000-7000-8000-000000000001"
TELLS_BY_ITS_EXIT_CODE = "manage.py consumer_lag"
"""It ends with 1 where a group stands still, which is no fault of the command."""

EXPECTED = {
    "manage.py consumer_lag\n": "products-service-group\tinventory.reserve",
    "manage.py consumer_lag --group": '"topic":"inventory.reserve"',
    "--list --state": "GROUP",
    'kafka-topics.sh --bootstrap-server "$BROKERS" --list': "inventory.reserve",
    '--describe --topic "$TOPIC"\n': "Leader: 1",
    "kafka-configs.sh": "retention.ms=",
    "kafka-log-dirs.sh": '"partition":"inventory.reserve-0"',
    "--time latest": "inventory.reserve:0:",
    "print.timestamp=true": "ce_type:inventory.reserve",
    "--offset 0": ORDER_ID,
    "--to-datetime": "NEW-OFFSET",
    "kafka-metadata-quorum.sh": "LeaderId:",
    "kafka-dump-log.sh": ORDER_ID,
    "find-hanging": "ProducerId",
    "kafka-transactions.sh": "TransactionalId",
    'kcat -b "$BROKERS" -L': 'topic "inventory.reserve"',
    "-o -5": "inventory.reserve/",
    '-o "s@': "inventory.reserve/",
}
"""What a command shows, by a part of it; the first part that fits counts."""


@pytest.fixture(scope="module")
def broker(kafka: str) -> Iterator[str]:
    """A broker with the topics, and one request in each partition of `inventory.reserve`."""
    client = KafkaClient(kafka)
    create_anew("inventory.reserve", kafka, client)
    headers: dict[str, str | bytes | None] = {"ce_type": "inventory.reserve", "ce_id": "1"}
    for partition in range(3):
        client.producer.produce(
            "inventory.reserve", b"{}", ORDER_ID.encode(), partition=partition, headers=headers
        )
    assert client.producer.flush(15) == 0
    yield kafka
    client.close()


def create_anew(topic: str, broker: str, client: KafkaClient) -> None:
    """Create all topics that are missing, and this one without the messages of earlier tests."""

    def is_there() -> bool:
        return topic in client.producer.list_topics(timeout=10).topics

    if is_there():
        admin = AdminClient({"bootstrap.servers": broker})
        [deleted] = admin.delete_topics([topic]).values()
        deleted.result(15)
        eventually(lambda: not is_there(), f"{topic} is deleted")
    call_command("create_topics", verbosity=0)
    eventually(is_there, f"{topic} is there")


def run(script: str, broker: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{PREPARATION}{script}"],
        cwd=PROJECT,
        env=in_test_database() | {"KAFKA_BROKERS": broker},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("block", BLOCKS[1:], ids=lambda block: block[1].splitlines()[0][:60])
def test_a_command_of_the_cookbook_shows_what_it_says(block: tuple[str, str], broker: str) -> None:
    needs_kcat, script = block
    if needs_kcat and not shutil.which("kcat"):
        pytest.skip("kcat is not installed")
    done = run(script, broker)
    may_end_with = {0, 1} if script.startswith(TELLS_BY_ITS_EXIT_CODE) else {0}
    assert done.returncode in may_end_with, done.stdout + done.stderr
    shown = next((shown for part, shown in EXPECTED.items() if part in script), "")
    assert shown in done.stdout, done.stdout + done.stderr


def test_each_tool_is_there_under_the_name_that_apache_gives_it() -> None:
    scripts = {path.name for path in (PROJECT / "devtools" / "kafka-bin").glob("*.sh")}
    assert scripts == {f"{tool}.sh" for tool in TOOLS}
    assert {name for name in scripts if name not in COOKBOOK} == set(), "each has its use in the cookbook"


def test_a_tool_that_there_is_not_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    link = tmp_path / "kafka-nonsense.sh"
    link.symlink_to(PROJECT / "devtools" / "kafka-bin" / "run-tool")
    done = subprocess.run([link], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the tools are kafka-configs, kafka-console-consumer" in done.stderr
