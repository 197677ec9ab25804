"""Fixtures for every test; the fixtures that start servers are in devtools.stack.pytest_plugin."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import structlog
from django.core.management import call_command
from pymongo import MongoClient
from pytest_django.plugin import DjangoDbBlocker
from structlog.testing import capture_logs
from structlog.types import EventDict

from foundation.log_levels import read_levels
from foundation.logging import line_processors, write_ecs_lines
from foundation.rates import read_rate
from foundation.shared_connection import shared_connection
from orders_app.mail.telling import MAIL
from orders_app.services.place_order import PLACING
from orders_app.services.usual_answers import RECORDING
from products_app.services.service_keys import KEYS
from tests.emptying import quick_emptying
from tests.running_catcher import Catcher
from web.rates.counts import request_counts
from web.rates.sharing import OPTIONS, RATES


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, postgresql: str) -> None:
    """Starts PostgreSQL for a test that may use the database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, which cannot be dropped while a connection to it is open."""
    with ExitStack() as for_all_tests:
        with django_db_blocker.unblock():
            for_all_tests.enter_context(quick_emptying())
        yield
    with django_db_blocker.unblock():
        for connection in ((PLACING,), (RECORDING,), (KEYS,), (MAIL,), (RATES, OPTIONS)):
            shared_connection(*connection).close()


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def access_lines(capfd: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Returns the access lines since its last call, decoded from JSON."""
    with log_format("json"):
        yield lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"access"' in line]


@contextmanager
def log_format(name: str) -> Iterator[None]:
    """Makes structlog write its lines in this format, as LOG_FORMAT does."""
    processors = structlog.get_config()["processors"]  # the list that loggers in use share
    kept = list(processors)
    processors[:] = line_processors(name)
    write_ecs_lines(name, read_levels(()))
    try:
        yield
    finally:
        processors[:] = kept
        write_ecs_lines("console", read_levels(()))


@pytest.fixture
def captured_log() -> Iterator[list[EventDict]]:
    """The entries that are logged through structlog in this process during the test."""
    with capture_logs() as entries:
        yield entries


SetRate = Callable[[str, str], None]


@pytest.fixture
def set_rate(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SetRate]:
    """Sets the rate of a kind of throttle; nothing is counted yet."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    request_counts.cache_clear()

    def set_it(kind: str, rate: str) -> None:
        settings.REQUEST_RATES = settings.REQUEST_RATES | {kind: read_rate(rate)}

    yield set_it
    request_counts.cache_clear()


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    """A fast password hasher; the usual one is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def running_catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catcher]:
    """A mail catcher, started when the first test needs it."""
    catcher = Catcher(tmp_path_factory.mktemp("mails"))
    yield catcher
    assert catcher.stop() == 0


@pytest.fixture
def mail_catcher(running_catcher: Catcher) -> Catcher:
    """A mail catcher with an empty inbox."""
    running_catcher.delete_all()
    return running_catcher


@pytest.fixture
def clean_catalogue(mongodb: str) -> None:
    """Empty products and ledger, with the collections, validators and indexes of production in place."""
    call_command("create_collections", verbosity=0)
    with MongoClient[dict[str, object]](mongodb) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            if not name.startswith("system."):
                database[name].delete_many({})
