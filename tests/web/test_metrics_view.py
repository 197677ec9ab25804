"""`/metrics`: every metric of every process, also in an outage of the database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from foundation import metrics
from kafka_workers.audit.drift import record_drift
from kafka_workers.models import LastAudit
from orders_app import event_log
from orders_app.accounts.mail_queue import Kind, queue_mail
from orders_app.event_log import RELAY_READER
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)


def metrics_text() -> str:
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    return response.content.decode()


def value(text: str, name: str, **labels: str) -> float:
    """The value of the sample with this name and these labels; 0 if there is none."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == name and sample.labels == labels)


def test_the_page_has_every_metric_of_the_list() -> None:
    listed = [figure for figure in vars(metrics).values() if isinstance(figure, Counter | Gauge | Histogram)]
    families = {family.name for family in text_string_to_metric_families(metrics_text())}
    assert {next(iter(figure.describe())).name for figure in listed} <= families
    assert len(listed) > 10


def test_requests_are_counted_by_route_and_not_by_path() -> None:
    def count(route: str, status: int) -> float:
        labels = {"method": "GET", "route": route, "status": str(status)}
        return value(metrics_text(), "stockbridge_http_requests_total", **labels)

    before = count("health/live", 200), count("unmatched", 404)
    Client().get("/health/live")
    Client().get("/nowhere/1/")
    Client().get("/nowhere/2/")
    assert (count("health/live", 200), count("unmatched", 404)) == (before[0] + 1, before[1] + 2)


def test_an_unknown_method_is_counted_as_other() -> None:
    Client().generic("DANCE", "/health/live")
    assert 'method="DANCE"' not in metrics_text()
    assert 'method="other"' in metrics_text()


def test_the_time_of_a_request_is_observed() -> None:
    labels = {"method": "GET", "route": "metrics"}
    before = value(metrics_text(), "stockbridge_http_request_seconds_count", **labels)
    assert value(metrics_text(), "stockbridge_http_request_seconds_count", **labels) == before + 1


def test_the_age_of_the_oldest_unread_event_grows_without_a_relay(placer: OrderPlacer) -> None:
    name = "stockbridge_relay_oldest_unread_seconds"
    placer.place()
    first = value(metrics_text(), name)
    assert 0 < first < value(metrics_text(), name)
    event_log.store_position(RELAY_READER, event_log.end_position())
    assert value(metrics_text(), name) == 0


def test_the_drift_that_the_last_audit_found_is_shown_after_its_process_has_ended() -> None:
    name = "stockbridge_stock_drift_pieces"
    LastAudit.objects.create(id=1, drift_pieces=7)
    assert value(metrics_text(), name) == 7
    record_drift(0)
    assert value(metrics_text(), name) == 0
    assert LastAudit.objects.get().drift_pieces == 0


def test_account_mails_that_wait_are_counted_when_they_are_asked_for() -> None:
    queue_mail(kind=Kind.ADDRESS_CHANGE, address="walter@example.com")
    assert value(metrics_text(), "stockbridge_account_mails_waiting") == 1


def test_without_a_database_the_other_metrics_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", "1")
    assert "stockbridge_http_requests_total" in metrics_text()


def test_counters_of_all_processes_are_added_up_and_gauges_of_running_ones(tmp_path: Path) -> None:
    count = (
        "from foundation import metrics;"
        "metrics.RELAY_EVENTS.labels('order.created').inc(2);"
        "metrics.SOCKETS_CONNECTED.inc(5);"
    )
    show = (
        "import django; django.setup();"
        "from django.test import RequestFactory; from web.metrics_view import metrics_after;"
        "print(metrics_after(lambda: None)(RequestFactory().get('/metrics')).content.decode())"
    )
    run(count, tmp_path)
    text = run(count + show, tmp_path)
    assert value(text, "stockbridge_relay_events_total", type="order.created") == 4
    assert value(text, "stockbridge_sockets_connected") == 5


def run(program: str, directory: Path) -> str:
    """The output of a process that stores its metrics in this directory."""
    environment = os.environ | {
        "PROMETHEUS_MULTIPROC_DIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout
