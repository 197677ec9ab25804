"""Every worker works as its own user, with the ACLs of `kafka_access` and no others."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from msgspec.structs import replace

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from kafka_workers.contract import principals
from kafka_workers.runtime.broker.access import AccessControl
from kafka_workers.runtime.broker.topics import add_partitions, business_topic, create_topics, topics_of_group
from kafka_workers.runtime.exceptions import AccessDenied
from kafka_workers.runtime.group_topics import retry_topics
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Producer
from kafka_workers.workers import INVENTORY, RELAY, WORKERS
from orders_app.state_machine import OrderStatus
from tests.database import in_test_database
from tests.kafka_workers.consumers.test_inventory_consumer import new_order, reserve
from tests.kafka_workers.contract.conftest import access
from tests.kafka_workers.contract.secured_broker import ADMIN, ADMIN_PASSWORD, SecuredBroker
from tests.orders_app.ordering import OrderPlacer, catalogue, now, placer
from tests.products_app.product_stock import entry_of, stock_of, stocked
from tests.running_catcher import Catcher

__all__ = ["catalogue", "placer"]

USERS = {worker.command: worker.principal for worker in WORKERS if worker.principal}


@pytest.fixture
def workers(
    broker: SecuredBroker, clean_catalogue: None, transactional_db: None, mail_catcher: Catcher
) -> Iterator[None]:
    """The workers that use Kafka as processes, each with its own user."""
    mail = {"EMAIL_URL": mail_catcher.email_url, "PUBLIC_URL": "http://localhost:8000"}
    with ExitStack() as running:
        for command, user in USERS.items():
            running.enter_context(_running(command, mail | access(broker, user)))
        yield


@contextmanager
def _running(command: str, settings: dict[str, str]) -> Iterator[None]:
    environment = in_test_database() | {"RETRY_DELAYS_SECONDS": "5,60,600"} | settings
    with subprocess.Popen([sys.executable, "manage.py", command], env=environment) as process:
        try:
            yield
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.fixture
def kafka_client(broker: SecuredBroker) -> Iterator[KafkaClient]:
    with closing(KafkaClient(broker.url)) as kafka_client:
        yield kafka_client


@pytest.mark.usefixtures("workers")
def test_an_order_goes_the_whole_way_and_a_dead_letter_back(
    broker: SecuredBroker, kafka_client: KafkaClient, placer: OrderPlacer, capsys: pytest.CaptureFixture[str]
) -> None:
    lantern = stocked(10)
    order = placer.place_items((lantern, 3)).order
    eventually(lambda: now(order).status == OrderStatus.PROCESSING, "the order goes on", seconds=60)
    assert stock_of(lantern) == 7

    order_id = new_order()
    kafka_client.send("inventory.reserve", order_id, b"no json")
    kafka_client.read(["products-service-group.dlq"], lambda records: len(records) == 1, seconds=30)
    with override_settings(**access(broker, principals.DEAD_LETTERS)):
        call_command("dead_letters", "redrive", "--key", order_id)
    assert "1 redriven" in capsys.readouterr().out
    kafka_client.read(["products-service-group.dlq"], lambda records: len(records) == 2, seconds=30)
    kafka_client.send("inventory.reserve", order_id, reserve(order_id, lantern))
    eventually(lambda: entry_of(order_id), "the worker goes on behind the dead letter", seconds=30)

    with override_settings(**access(broker, principals.LAG)):
        eventually(lambda: _lag(capsys) == 0, "nothing is left to do", seconds=30)
        call_command("audit_stock", "--json")
    assert json.loads(capsys.readouterr().out)["waitingFor"] == ""


def _lag(capsys: pytest.CaptureFixture[str]) -> int:
    with suppress(CommandError):  # not all workers run
        call_command("consumer_lag", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert {row["group"] for row in rows} >= {"products-service-group", "orders-service-group"}
    return sum(row["lag"] for row in rows)


def test_the_users_have_exactly_these_acls(broker: SecuredBroker) -> None:
    with override_settings(**access(broker, ADMIN, ADMIN_PASSWORD)):
        report = AccessControl().compare(principals.all_permissions())
    assert (report.missing, report.others) == ([], [])


def test_a_worker_may_not_create_topics_or_change_users(
    broker: SecuredBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    user, group = f"User:{INVENTORY.principal}", "products-service-group"
    visible = [topic for topic in topics_of_group(group) if topic.name in retry_topics(group, 3)]
    with override_settings(**access(broker, INVENTORY.principal)):
        with pytest.raises(CommandError, match=f"{user} may not CREATE the topic order.created"):
            call_command("create_topics")
        with pytest.raises(AccessDenied, match=f"{user} may not DESCRIBE_CONFIGS the topic {group}.retry.1"):
            create_topics(visible)
        for stolen in ({}, {RELAY.principal: "stolen"}):
            with pytest.raises(CommandError, match="users and permissions cannot be managed"):
                call_command("kafka_access", passwords=stolen)
    with override_settings(**access(broker, RELAY.principal)), Producer("relay") as producer:
        producer.publish([OutgoingMessage("order.created", "1", b"{}", {})])
    with override_settings(**access(broker, principals.TOPICS)):
        call_command("create_topics")
    assert ", 0 of them new" in capsys.readouterr().out


def test_the_user_of_the_topics_may_add_partitions_and_a_worker_may_not(broker: SecuredBroker) -> None:
    more = replace(business_topic("inventory.reserve"), partitions=4)
    with (
        override_settings(**access(broker, INVENTORY.principal)),
        pytest.raises(
            AccessDenied, match=f"User:{INVENTORY.principal} may not ALTER the topic inventory.reserve"
        ),
    ):
        add_partitions([more])
    with override_settings(**access(broker, principals.TOPICS)):
        assert add_partitions([more]) == ["inventory.reserve had 3 partitions, now has 4"]


def test_a_topic_that_the_user_may_not_see_is_named_when_partitions_are_added(broker: SecuredBroker) -> None:
    hidden = f"User:{INVENTORY.principal} may not DESCRIBE the topic order.created"
    with override_settings(**access(broker, INVENTORY.principal)):
        with pytest.raises(AccessDenied, match=hidden):
            add_partitions([business_topic("inventory.reserve"), business_topic("order.created")])
        with pytest.raises(CommandError, match=hidden):
            call_command("create_topics", "--add-partitions")


def test_a_second_run_of_the_command_changes_nothing(
    broker: SecuredBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    with override_settings(**access(broker, ADMIN, ADMIN_PASSWORD)):
        call_command("kafka_access")
    assert capsys.readouterr().out == f"{len(principals.all_permissions())} ACLs, 0 of them new\n"


def test_a_dry_run_prints_every_acl_and_needs_no_broker(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(KAFKA_BROKERS="127.0.0.1:1"):
        call_command("kafka_access", dry_run=True)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(principals.all_permissions())
    assert "User:stockbridge-relay may WRITE the topic order.created" in printed


@pytest.mark.parametrize(
    ("text", "reason"), [("somebody=x", "names somebody"), ("stockbridge-relay=", "no password for")]
)
def test_an_invalid_file_of_passwords_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "passwords"
    path.write_text(text)
    with pytest.raises(CommandError, match=reason):
        call_command("kafka_access", "--passwords", str(path), "--dry-run")
