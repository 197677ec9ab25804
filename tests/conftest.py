"""Fixtures for every test; the fixtures that start servers are in devtools.stack.pytest_plugin."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from pymongo import MongoClient
from pytest_django.plugin import DjangoDbBlocker

from foundation.logging import direct_logger
from foundation.shared_connection import warm_connection
from orders_app.services.place_order import PLACING
from products_app.services.service_keys import KEYS
from web import middleware


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, postgresql: str) -> None:
    """A test that may use the database has PostgreSQL started."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, which cannot be dropped while somebody is connected to it."""
    yield
    with django_db_blocker.unblock():
        for purpose in (PLACING, KEYS):
            warm_connection(purpose).close()


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def access_lines(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lines:
    """Gives the access lines, as JSON has them, since it was last asked."""
    monkeypatch.setattr(middleware, "log", direct_logger("access", "json"))
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"access"' in line]


@pytest.fixture
def clean_catalogue(mongodb: str) -> None:
    """Empty products and ledger, with the collections, validators and indexes of production in place."""
    call_command("create_collections", verbosity=0)
    with MongoClient[dict[str, object]](mongodb) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            if not name.startswith("system."):
                database[name].delete_many({})
