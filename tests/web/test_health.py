"""Liveness and readiness, with every dependency up and with each of them down."""

import json
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from django.db import connections
from django.test import Client, RequestFactory, override_settings

from devtools.stack.ports import free_ports
from devtools.stack.server import Server
from web import dependency_checks
from web.health import Sentences, readiness

Json = dict[str, Any]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kafka", "mongodb")]


SENTENCES = Sentences(ready="ready", not_ready="no", without_optional="-", with_warnings="something is wrong")


@pytest.fixture(autouse=True)
def _no_finding_of_another_test(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "share" not in request.node.name:
        monkeypatch.setattr(dependency_checks, "REUSE_SECONDS", 0)


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
    assert body["warnings"] == []
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


def test_warnings_say_what_is_wrong_with_a_dependency() -> None:
    address = unused_address()
    with override_settings(KAFKA_BROKERS=address):
        [warning] = ready()[1]["warnings"]
    assert (warning["kind"], warning["name"]) == ("dependency", "kafka")
    assert "refused" in warning["reason"]


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


def test_a_check_that_hangs_holds_one_thread_and_only_its_first_asker_waits() -> None:
    answers = threading.Event()
    runs: list[bool] = []

    def hang() -> None:
        runs.append(answers.wait(60))

    view = readiness(required={"server": hang}, optional={}, neighbours={}, sentences=SENTENCES)
    start = monotonic()
    for _ in range(20):
        assert view(RequestFactory().get("/")).status_code == 503
    assert 2 <= monotonic() - start < 3
    answers.set()
    while not runs:
        pass
    assert runs == [True]
    assert view(RequestFactory().get("/")).status_code == 200


def test_askers_of_the_same_moment_share_a_check() -> None:
    runs = []

    def check() -> None:
        runs.append(1)

    view = readiness(required={"server": check}, optional={}, neighbours={}, sentences=SENTENCES)
    for _ in range(10):
        assert view(RequestFactory().get("/")).status_code == 200
    assert len(runs) == 1


def test_a_check_of_what_neighbours_do_adds_its_sentences_and_leaves_the_code_200() -> None:
    def broken() -> list[str]:
        raise OSError("not reached")

    neighbours = {"kafka": lambda: ["a transaction is open"], "postgresql": list, "other": broken}
    view = readiness(required={}, optional={}, neighbours=neighbours, sentences=SENTENCES)
    response = view(RequestFactory().get("/"))
    body = json.loads(response.content)
    assert (response.status_code, body["status"]) == (200, "something is wrong")
    assert body["warnings"] == [{"kind": "neighbour", "name": "kafka", "reason": "a transaction is open"}]


@pytest.mark.usefixtures("no_postgresql", "frozen_mongodb")
def test_the_liveness_check_needs_no_dependency() -> None:
    response = Client().get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert "no-store" in response["Cache-Control"]
