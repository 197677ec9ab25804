"""The analytics consumer on the broker, and figures that are made anew from the topics."""

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.stack.kafka import KafkaBroker
from devtools.stack.ports import free_ports
from foundation.metrics import ANALYTICS_LAG_SECONDS
from kafka_workers.consumers.analytics import ANALYTICS_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run
from kafka_workers.runtime.messages.message import OutgoingMessage
from orders_app import event_log
from orders_app.analytics import freshness
from orders_app.analytics.lag_metric import update_analytics_lag
from tests.concurrency import running
from tests.kafka_workers.consumers.lived_orders import differing_figures, figures, live, messages_about
from tests.kafka_workers.consumers.orders_of_others import life
from tests.orders_app.ordering import OrderPlacer, catalogue, placer
from tests.orders_app.paying import payment_gateway

__all__ = ["catalogue", "payment_gateway", "placer"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]


@pytest.fixture
def broker_of_its_own(kafka: str, tmp_path: Path, settings: Settings) -> Iterator[KafkaClient]:
    """A broker with topics that have no message yet, and lose some in the end."""
    broker = KafkaBroker(tmp_path, free_ports(1)[0])
    broker.start()
    try:
        settings.KAFKA_BROKERS = broker.url
        call_command("create_topics", verbosity=0)
        with closing(KafkaClient(broker.url)) as client:
            yield client
    finally:
        broker.stop()


def send(client: KafkaClient, messages: Sequence[OutgoingMessage]) -> None:
    for message in messages:
        headers = {name: str(value) for name, value in message.headers.items()}
        client.send(message.topic, str(message.key), message.value or b"", headers)


def rebuild_from(source: str) -> str:
    out = io.StringIO()
    call_command("rebuild_analytics", "--from", source, stdout=out)
    return out.getvalue()


def assert_refused(reason: str) -> None:
    before = figures()
    with pytest.raises(CommandError, match=reason) as refusal:
        rebuild_from("kafka")
    assert (refusal.value.returncode, figures()) == (1, before)


def has_all_of_before(time: datetime) -> bool:
    found = freshness()
    return found is not None and found.as_of > time and found.lag_seconds < 5


def test_the_worker_keeps_the_figures_and_says_how_old_they_are(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    assert freshness() is None
    orders = live(placer, 10)
    event_log.store_position(event_log.RELAY_READER, event_log.last_position())
    with running(lambda stop: run(ANALYTICS_CONSUMER, stop)):
        send(kafka_client, messages_about(orders))
        eventually(lambda: differing_figures() == [], "figures")
        began = timezone.now()
        eventually(lambda: has_all_of_before(began), "a time at which everything is handled")
    update_analytics_lag()
    assert 0 < ANALYTICS_LAG_SECONDS._value.get() < 60
    # What waits for the relay is not in the figures either.
    waiting = placer.place()
    found = freshness()
    assert found is not None
    assert found.as_of <= waiting.created_at


def test_topics_give_the_same_figures_as_the_log_and_are_refused_when_they_lack_something(
    broker_of_its_own: KafkaClient, placer: OrderPlacer
) -> None:
    orders = live(placer, 12)
    first, others = messages_about(orders[:1]), messages_about(orders[1:])
    assert "Figures of 12 orders made anew" in rebuild_from("log")
    by_log = figures()
    send(broker_of_its_own, others)
    assert_refused(f"the first order, {orders[0].id}, is not in them")

    send(broker_of_its_own, first)
    count = len(first) + len(others)
    assert f"Figures of 12 orders made anew from {count} messages" in rebuild_from("kafka")
    assert (figures(), differing_figures()) == (by_log, [])

    for message in life("N-1"):
        broker_of_its_own.send(message.topic, message.key, message.value, {})
    for message in life(str(orders[0].id), source="/neighbour"):
        broker_of_its_own.send(message.topic, message.key, message.value, {})
    assert "Figures of 13 orders" in rebuild_from("kafka")
    with_other = figures()
    assert "Figures of 13 orders" in rebuild_from("log")
    assert figures() == with_other

    [_, processing] = messages_about([placer.place_reserved()])
    told = b',"stockStatus":"reserved","paymentStatus":1'
    assert told in (processing.value or b"")
    older = (processing.value or b"").replace(told, b"")
    send(broker_of_its_own, [OutgoingMessage(processing.topic, processing.key, older, processing.headers)])
    assert_refused(r"order\.status\.changed has messages of a version that did not tell")

    [record, *_] = broker_of_its_own.of_order(str(orders[0].id), "order.created")
    admin = AdminClient({"bootstrap.servers": broker_of_its_own.brokers})
    [deleted] = admin.delete_records([TopicPartition(record.topic, record.partition, 1)]).values()
    deleted.result()
    assert_refused(rf"order\.created/{record.partition} begins at offset 1")
