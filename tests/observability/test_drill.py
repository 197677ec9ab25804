"""The drill: a fault is put in, and an operator is told of it, sees it, finds what to do and ends it.

The system runs as `./start` runs it. Prometheus and Alertmanager have the rules and routes of `deploy/`, with
times that are shorter by the factor FASTER; the thresholds are theirs, but for that of the disk.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from bson import ObjectId
from django.conf import settings
from pymongo import MongoClient

from devtools.driver.kafka import KafkaClient
from devtools.monitoring.configuration import Trial
from devtools.monitoring.watching import Monitoring
from devtools.stack.processes import worker_process
from devtools.stack.servers import MAIL, PAYMENTS
from devtools.stack.stack import Stack
from kafka_workers.workers import INVENTORY, RELAY
from tests.observability.drill import Drill
from tests.observability.webhook import Webhook
from tests.running_system import running_stack, shop_of

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(400)]

FASTER = 12
GROUP = "products-service-group"
GOOD_MESSAGES = 12
"""More than the circuit breaker tries at once (BREAKER_PROBE)."""


@pytest.fixture(scope="module")
def stack(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # A breaker stays open until an operator has seen it, however slow the machine is.
    caller = {"BREAKER_PAUSE_SECONDS": "600"}
    with running_stack(tmp_path_factory, caller=caller) as stack:
        yield stack


@pytest.fixture(scope="module")
def drill(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    with ExitStack() as open_things:
        webhook = open_things.enter_context(Webhook())
        folder = tmp_path_factory.mktemp("monitoring")
        trial = Trial(targets=targets(stack), faster=FASTER)
        monitoring = open_things.enter_context(Monitoring(folder, trial, webhook=webhook.url))
        shop = open_things.enter_context(shop_of(stack))
        kafka_client = open_things.enter_context(closing(KafkaClient(stack.env["KAFKA_BROKERS"])))
        drill = Drill(stack, shop, kafka_client, monitoring, webhook)
        audited = drill.run("manage.py audit_stock")
        assert audited.returncode == 0, audited.stdout + audited.stderr
        monitoring.wait_for_scrape()
        yield drill


@pytest.fixture(autouse=True)
def quiet(drill: Drill) -> Iterator[None]:
    """Nothing fires before a fault is put in, and what has fired has ended after it."""
    drill.wait_until_quiet()
    drill.told()
    yield
    drill.wait_until_quiet()


def targets(stack: Stack) -> dict[str, list[str]]:
    return {"stockbridge": [stack.urls["web"].removeprefix("http://")]}


def test_a_stopped_worker(drill: Drill) -> None:
    drill.stack.remove("inventory")
    order_id = drill.place()
    drill.wait_for_metric(f'stockbridge_consumer_lag_messages{{group="{GROUP}"}} > 0')

    alert = drill.monitoring.wait_for_alert("ConsumerGroupStopped", 90)

    assert alert.labels["group"] == GROUP
    assert f"no member of {GROUP} reads inventory.reserve/" in drill.lag()
    assert f"{GROUP} has no member that reads inventory.reserve" in drill.status()
    with drill.running(drill.command(alert, "manage.py run_inventory_consumer")):
        drill.monitoring.wait_for_end(alert.name)
        drill.wait_for_processing(order_id)
        drill.stack.add(worker_process(INVENTORY))
    assert drill.told() == {alert.name}


def test_a_relay_that_is_stopped(drill: Drill) -> None:
    drill.stack.remove("relay")
    order_id = drill.place()
    drill.wait_for_metric("stockbridge_relay_oldest_unread_seconds > 1")

    alert = drill.monitoring.wait_for_alert("RelayWithoutLeader")

    assert "no relay leads: nothing is published" in drill.status()
    with drill.running(drill.command(alert, "manage.py run_outbox_relay")):
        drill.monitoring.wait_for_end(alert.name)
        drill.wait_for_processing(order_id)
        drill.stack.add(worker_process(RELAY))
    assert drill.told() == {alert.name}


def test_a_flood_of_poison(drill: Drill) -> None:
    for number in range(settings.BREAKER_RUN):
        drill.kafka_client.producer.produce("inventory.reserve", b"not JSON", f"poison-{number}")
    assert drill.kafka_client.producer.flush(15) == 0
    breaker = f'stockbridge_circuit_breaker_open{{group="{GROUP}"}}'
    drill.wait_for_metric(f"{breaker} > 0")
    orders = [drill.place() for _ in range(GOOD_MESSAGES)]

    alert = drill.monitoring.wait_for_alert("CircuitBreakerOpen")

    assert alert.labels["group"] == GROUP
    drill.wait_for_metric(f'stockbridge_dead_letters{{group="{GROUP}"}} == {settings.BREAKER_RUN}')
    assert f"{GROUP} has inventory.reserve/" in drill.lag()
    status = drill.status()
    assert f"breaker {GROUP}: process " in status
    assert f"{settings.BREAKER_RUN} dead letters of {GROUP} wait for a decision" in status
    assert f"{GROUP}.dlq/0/" in drill.run(drill.command(alert, "manage.py dead_letters list")).stdout
    drill.mend(alert, "manage.py dead_letters discard")
    drill.wait_for_metric(f'stockbridge_dead_letters{{group="{GROUP}"}} == 0')
    drill.stack.restart("inventory")  # it tries ten messages at once
    for order_id in orders:
        drill.wait_for_processing(order_id)
    drill.monitoring.wait_for_end(alert.name)
    # The first dead letters may be told of before there are so many that the breaker opens.
    assert drill.told() - {"DeadLetters"} == {alert.name}


def test_stock_that_was_changed_by_hand(drill: Drill) -> None:
    with MongoClient[dict[str, object]](drill.stack.env["MONGODB_URI"]) as client:
        products = client.get_default_database()["products"]
        changed = products.update_one({"_id": ObjectId(drill.product)}, {"$inc": {"stock": 3}})
    assert changed.modified_count == 1
    assert drill.run("manage.py audit_stock").returncode == 1
    drill.wait_for_metric("stockbridge_stock_drift_pieces == 3")

    alert = drill.monitoring.wait_for_alert("StockDrift")

    assert "stock differs from the ledger by 3 pieces at the last audit" in drill.status()
    drill.mend(alert, "manage.py audit_stock --repair")
    drill.monitoring.wait_for_end(alert.name)
    assert drill.told() == {alert.name}


def test_a_payment_gateway_that_is_away(drill: Drill) -> None:
    drill.stack.servers[PAYMENTS].kill()
    order_id = drill.place("pm_card_visa")
    drill.wait_for_metric('stockbridge_consumer_waiting{group="payments-service-group"} > 0')

    alert = drill.monitoring.wait_for_alert("PaymentsBehind")

    assert "payments-service-group has payment.requested/" in drill.lag()
    assert "the payment consumer waits for a server that it needs" in drill.status()
    drill.stack.servers[PAYMENTS].start()
    drill.monitoring.wait_for_end(alert.name)
    drill.wait_for_processing(order_id)
    assert drill.told() == {alert.name}


def test_a_mail_server_that_is_away(drill: Drill) -> None:
    drill.stack.servers[MAIL].kill()
    drill.place()
    drill.wait_for_metric('stockbridge_consumer_waiting{group="email-service-group"} > 0')

    alert = drill.monitoring.wait_for_alert("MailsFailing")

    assert "email-service-group has order." in drill.lag()
    assert "the email consumer waits for a server that it needs" in drill.status()
    drill.stack.servers[MAIL].start()
    drill.monitoring.wait_for_end(alert.name)
    assert drill.told() == {alert.name}


def test_a_disk_of_the_log_that_is_nearly_full(drill: Drill, tmp_path: Path) -> None:
    folder = drill.stack.settings.directory
    disk = shutil.disk_usage(folder)
    filled = disk.free // 10
    limit = (disk.free - filled / 2) / (disk.free + disk.used)
    trial = Trial(
        targets=targets(drill.stack),
        faster=FASTER,
        replaced={"< 0.05": f"< {limit:.6f}"},
    )
    filling = folder / "kafka" / "filling"
    with Monitoring(tmp_path / "monitoring", trial, webhook=drill.webhook.url) as monitoring:
        monitoring.wait_for_scrape()
        with filling.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, filled)

        alert = monitoring.wait_for_alert("DiskNearlyFull")

        assert alert.labels["disk"] == "data"
        assert f"{folder}/kafka" in drill.run(drill.command(alert, "du ")).stdout
        filling.unlink()
        monitoring.wait_for_end(alert.name)
    assert drill.told() == {alert.name}


def test_a_broker_that_is_down(drill: Drill) -> None:
    drill.stack.servers["kafka"].kill()
    order_id = drill.place()
    drill.wait_for_metric('stockbridge_dependency_up{dependency="kafka"} == 0')

    alert = drill.monitoring.wait_for_alert("KafkaDown")

    assert "Kafka is unavailable" in drill.lag()
    assert "orders are taken, and settled when Kafka is back" in drill.status()
    drill.stack.servers["kafka"].start()  # as its supervisor does
    drill.monitoring.wait_for_end(alert.name)
    drill.wait_for_processing(order_id)
    drill.mend(alert, "manage.py consumer_lag")
    assert drill.told() == {alert.name}
