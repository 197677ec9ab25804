"""The metrics that are found when they are asked for, from the servers themselves."""

import time

import pytest
from django.db import connection, connections
from prometheus_client import REGISTRY
from pytest_django import Settings
from structlog.types import EventDict

from config.collected_metrics import show_metrics, update_metrics
from devtools.driver.shop import eventually
from kafka_workers.audit.drift import record_drift
from kafka_workers.models import ParkedEvent
from orders_app import event_log
from orders_app.event_log import RELAY_READER
from orders_app.payments.audit.last_audit import record_differences
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)


def value(name: str, **labels: str) -> float:
    update_metrics()
    found = REGISTRY.get_sample_value(f"stockbridge_{name}", labels)
    assert found is not None
    return found


def test_servers_that_are_there_are_up_and_one_that_is_away_is_not(
    placer: OrderPlacer, settings: Settings
) -> None:
    settings.KAFKA_BROKERS = "127.0.0.1:1"
    # What a check found is answered for a second more, perhaps to the test before this one.
    eventually(lambda: value("dependency_up", dependency="kafka") == 0, "Kafka is known to be away")
    assert [value("dependency_up", dependency=name) for name in ("postgresql", "mongodb")] == [1, 1]


def test_an_outage_of_postgresql_is_one_line_when_it_begins_and_one_with_a_count_when_it_is_over(
    captured_log: list[EventDict],
) -> None:
    def scrape_without(table: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO away")
            try:
                update_metrics()
            finally:
                cursor.execute(f"ALTER TABLE away RENAME TO {table}")

    for table in ("set_aside_event", "account_mail", "set_aside_event"):
        scrape_without(table)
    update_metrics()
    update_metrics()
    assert [(entry["event"], entry.get("held_back")) for entry in captured_log] == [
        ("metrics that PostgreSQL knows stay as they were", None),
        ("metrics that PostgreSQL knows are up to date again", 2),
    ]
    assert "set_aside_event" in captured_log[0]["error"]


def test_events_that_the_relay_has_not_published_are_counted(placer: OrderPlacer) -> None:
    event_log.store_position(RELAY_READER, event_log.end_position())
    assert value("relay_unread_events") == 0
    for _ in range(3):
        placer.place()
    assert value("relay_unread_events") == 3


def test_parked_events_are_counted(placer: OrderPlacer) -> None:
    order = placer.place()
    assert value("relay_parked_events") == 0
    ParkedEvent.objects.create(order_id=order.id, version=1, type="created", reason="refused", detail="-")
    assert value("relay_parked_events") == 1


@pytest.mark.parametrize("audit", ["stock", "payment"])
def test_it_is_known_when_the_last_audit_ended(audit: str) -> None:
    assert value(f"{audit}_audit_timestamp_seconds") == 0
    record_drift(0) if audit == "stock" else record_differences(0)
    assert value(f"{audit}_audit_timestamp_seconds") == pytest.approx(time.time(), abs=60)


def test_connections_to_postgresql_are_counted_beside_the_most_there_may_be() -> None:
    assert value("postgresql_connections", state="active") >= 1
    assert value("postgresql_max_connections") >= 20


def test_a_thread_that_shows_metrics_keeps_no_connection() -> None:
    assert b"stockbridge_dependency_up" in show_metrics("").body
    assert connections["default"].connection is None
