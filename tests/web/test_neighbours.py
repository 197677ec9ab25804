"""Readiness tells what others do on the cluster that holds orders up, and orders are taken meanwhile."""

from typing import Any

import pytest
from django.test import Client

from config import dependencies
from tests.orders_app.event_log.test_horizon import ONLY_AN_ID, open_transaction
from tests.orders_app.ordering import OrderPlacer
from web import dependency_checks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request asks anew, and an event that waits is told of at once."""
    monkeypatch.setattr(dependency_checks, "REUSE_SECONDS", 0)
    monkeypatch.setattr(dependencies, "HELD_SECONDS", 0.0)


def warnings_about_postgresql() -> list[dict[str, Any]]:
    body = Client().get("/health/ready").json()
    return [each for each in body["warnings"] if each["name"] == "postgresql"]


def test_an_open_transaction_in_our_database_is_named_until_it_ends(
    placer: OrderPlacer, mongodb: str, kafka: str
) -> None:
    with open_transaction(ONLY_AN_ID, application_name="psql of sam") as sam:
        assert warnings_about_postgresql() == []
        placer.place()
        [warning] = warnings_about_postgresql()
        assert warning["kind"] == "neighbour"
        assert f"process {sam.info.backend_pid}" in warning["reason"]
        assert "'psql of sam'" in warning["reason"]
        response = Client().get("/health/ready")
        assert (response.status_code, response.json()["status"] == "ready") == (200, False)
    assert warnings_about_postgresql() == []


def test_one_in_another_database_holds_nobody_up_and_is_not_told_of(
    placer: OrderPlacer, mongodb: str, kafka: str
) -> None:
    with open_transaction(ONLY_AN_ID, "postgres"):
        placer.place()
        assert Client().get("/health/ready").json()["status"] == "ready"
