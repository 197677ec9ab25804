"""Liveness and readiness, with every dependency up and with each of them down."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from django.db import connections
from django.test import Client, override_settings

from devtools.stack.ports import free_ports
from devtools.stack.server import Server

Json = dict[str, Any]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kafka", "mongodb")]


def ready() -> tuple[int, Json]:
    response = Client().get("/health/ready")
    return response.status_code, response.json()


def unused_address() -> str:
    """An address at which nothing listens."""
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture
def no_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """New connections go to a port at which nothing listens."""
    monkeypatch.setitem(connections.settings["default"], "PORT", unused_address().partition(":")[2])


@pytest.fixture
def frozen_mongodb(mongo_server: Server) -> Iterator[None]:
    mongo_server.pause()
    yield
    mongo_server.resume()


def test_the_process_is_ready_while_all_dependencies_are_available() -> None:
    status, body = ready()
    assert (status, body["status"]) == (200, "ready")
    assert body["dependencies"].keys() == {"postgresql", "mongodb", "kafka"}
    for found in body["dependencies"].values():
        assert found["up"]
        assert found["error"] is None
        assert 0 < found["milliseconds"] < 2000


def test_without_kafka_the_process_is_ready_and_the_body_reports_the_outage() -> None:
    with override_settings(KAFKA_BROKERS=unused_address()):
        status, body = ready()
    assert (status, body["status"]) == (200, "orders are taken, and settled when Kafka is back")
    assert not body["dependencies"]["kafka"]["up"]
    assert "refused" in body["dependencies"]["kafka"]["error"]


def test_one_broker_of_several_is_enough(kafka_server: Server) -> None:
    with override_settings(KAFKA_BROKERS=f"{unused_address()}, {kafka_server.url}"):
        assert ready()[1]["dependencies"]["kafka"]["up"]


@pytest.mark.usefixtures("no_postgresql")
def test_without_postgresql_the_process_is_not_ready() -> None:
    status, body = ready()
    assert (status, body["status"]) == (503, "orders cannot be taken")
    assert body["dependencies"]["postgresql"]["error"].startswith("OperationalError: ")
    assert body["dependencies"]["mongodb"]["up"]


@pytest.mark.usefixtures("frozen_mongodb")
def test_a_dependency_that_hangs_is_down_after_two_seconds() -> None:
    start = monotonic()
    status, body = ready()
    assert monotonic() - start < 4
    assert (status, body["status"]) == (503, "orders cannot be taken")
    assert body["dependencies"]["mongodb"] == {
        "up": False,
        "milliseconds": 2000.0,
        "error": "no answer within 2 s",
    }
    assert body["dependencies"]["postgresql"]["up"]


@pytest.mark.usefixtures("no_postgresql", "frozen_mongodb")
def test_the_liveness_check_needs_no_dependency() -> None:
    response = Client().get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert "no-store" in response["Cache-Control"]
