"""A running system that logs as JSON, and a server in which its lines are stored and searched."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from devtools.driver.inbox import Inbox
from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import CREDIT_CARD, PAID, PROCESSING, Shop, eventually
from devtools.go_programs import NoGoProgram
from devtools.log_search import LogSearchServer, NoLogSearch
from devtools.otel_collector import collector_program
from devtools.stack.ports import free_ports
from devtools.stack.stack import Stack
from tests.logs.lines_by_otlp import ELK, LinesByOtlp
from tests.running_system import inbox, kafka_client, running_stack, shop

__all__ = ["inbox", "kafka_client", "shop"]

WRONG = "an-order-of-nobody"
"""The key of a message that no worker can read."""


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory, caller={"LOG_FORMAT": "json"}) as stack:
        yield stack


@pytest.fixture(scope="package")
def told(shop: Shop, inbox: Inbox, kafka_client: KafkaClient, stack: Stack) -> str:
    """The number of an order that was placed, settled, paid and mailed, beside others and a wrong message."""
    product = shop.new_product(stock=50)
    alice, bob = shop.new_customer(), shop.new_customer()
    order = alice.place((product, 2), payment_method=CREDIT_CARD, payment_token="pm_card_visa")
    for _ in range(5):
        bob.place((product, 1))
    kafka_client.send("inventory.reserve", WRONG, b"no JSON")
    alice.wait_for_payment_status(order["id"], PAID, seconds=60)
    alice.wait_for_status(order["id"], PROCESSING, seconds=60)
    inbox.wait_for(order["id"], count=2)
    inventory = stack.settings.logs / "inventory.log"
    eventually(lambda: WRONG in inventory.read_text(), "the message has failed")
    number: str = order["orderNumber"]
    return number


@pytest.fixture(scope="package")
def log_search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogSearchServer]:
    """OpenSearch, prepared as an installation prepares Elasticsearch."""
    try:
        server = LogSearchServer(tmp_path_factory.mktemp("opensearch"))
        server.install()
    except NoLogSearch as reason:
        pytest.skip(str(reason))
    try:
        server.start()
        prepared = subprocess.run(
            [ELK / "set-up.sh"],
            env=os.environ | {"ELASTICSEARCH_URL": server.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert prepared.returncode == 0, prepared.stdout + prepared.stderr
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def shipped(
    stack: Stack, told: str, log_search: LogSearchServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LinesByOtlp]:
    """All lines of the system, shipped by the collector in its real configuration, and stored."""
    assert told
    try:
        program = collector_program()
    except NoGoProgram as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("collector")
    with LinesByOtlp(log_search.url) as lines:
        output = folder / "otlp.yml"
        output.write_text(OTLP.format(url=lines.url))
        with (folder / "log").open("wb") as log:
            collector = subprocess.Popen(
                [program, "--config", ELK / "collector.yml", "--config", output],
                env=os.environ
                | {
                    "LOG_FILES": str(stack.settings.logs / "*.log"),
                    "COLLECTOR_STATE": str(folder / "state"),
                    "COLLECTOR_HEALTH": f"127.0.0.1:{free_ports(1)[0]}",
                },
                stdout=log,
                stderr=log,
            )
        try:
            written = sum(len(path.read_bytes().splitlines()) for path in stack.settings.logs.glob("*.log"))
            eventually(
                lambda: len(lines.stored) + len(lines.refused) >= written, (folder / "log").read_text(), 60
            )
            yield lines
        finally:
            collector.terminate()
            collector.wait(30)


OTLP = """
exporters:
  otlp_http:
    endpoint: {url}
    encoding: json
    compression: none
service:
  pipelines:
    logs:
      exporters: [otlp_http]
"""
"""Takes the place of deploy/elk/elasticsearch.yml."""
