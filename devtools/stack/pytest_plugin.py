"""Real servers for the tests, each started when the first test asks for it and stopped at the end.

A test asks for a server by a fixture: `kafka`, `mongodb`, `postgresql` or `payment_sandbox`, mostly through
another fixture; the marker `django_db` asks for PostgreSQL. With `-n` each process that runs tests has
servers of its own.

KAFKA_BROKERS, MONGODB_URI, DATABASE_URL or STRIPE_API_BASE in the environment replace an embedded server.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from devtools.stack.errors import StackError
from devtools.stack.ports import Ports
from devtools.stack.server import Server
from devtools.stack.servers import embedded_servers, settings_of, start_all, stop_all
from devtools.stack.settings import new_secrets

_SERVERS = pytest.StashKey[Mapping[str, Server]]()
_STARTED = pytest.StashKey[set[str]]()
_STATIC_FILES = "static"
_SETTINGS = {
    "kafka": "KAFKA_BROKERS",
    "mongodb": "MONGODB_URI",
    "postgresql": "DATABASE_URL",
    "payment_sandbox": "STRIPE_API_BASE",
}
"""The fixtures by which a test asks for a server, and the setting that holds the server's address."""


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Sets the addresses of servers that do not run yet.

    As a wrapper, it runs ahead of pytest-django, which loads the settings in the same hook.
    """
    directory = Path(tempfile.mkdtemp(prefix="stockbridge-test-"))
    (directory / _STATIC_FILES).mkdir()
    early_config.add_cleanup(lambda: shutil.rmtree(directory))
    servers = embedded_servers(directory, ports=Ports.free(), caller=os.environ)
    if _distributes_tests(early_config):
        # Processes that run tests inherit the environment: they would take these addresses for the caller's.
        with patch.dict(os.environ, _environment(directory, servers)):
            return (yield)
    os.environ.update(_environment(directory, servers))
    early_config.stash[_SERVERS] = servers
    early_config.stash[_STARTED] = set()
    early_config.add_cleanup(lambda: stop_all(servers.values()))
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the servers that were not running to the report of a failure, since that may be its cause."""
    report = yield
    started = item.config.stash[_STARTED]
    absent = sorted(_SETTINGS.keys() - started)
    if report.failed and absent:
        report.sections.append(("Servers", _explain(absent)))
    return report


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """The address of a broker that runs."""
    return _running(request, "kafka")


@pytest.fixture(scope="session")
def mongodb(request: pytest.FixtureRequest) -> str:
    """The URI of a MongoDB that runs."""
    return _running(request, "mongodb")


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> str:
    """The URL of a PostgreSQL that runs."""
    return _running(request, "postgresql")


@pytest.fixture(scope="session")
def payment_sandbox(request: pytest.FixtureRequest) -> str:
    """The address of a payment sandbox that runs; nobody listens where it sends its webhooks."""
    return _running(request, "payment_sandbox")


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config, kafka: str) -> Server:
    """The broker of this test run; a test that stops it starts it again."""
    return _own_server(pytestconfig, "kafka")


@pytest.fixture(scope="session")
def mongo_server(pytestconfig: pytest.Config, mongodb: str) -> Server:
    """The MongoDB of this test run; a test that stops it starts it again."""
    return _own_server(pytestconfig, "mongodb")


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config, postgresql: str) -> Server:
    """The PostgreSQL of this test run; a test that stops it starts it again."""
    return _own_server(pytestconfig, "postgresql")


@pytest.fixture(scope="session")
def sandbox_server(pytestconfig: pytest.Config, payment_sandbox: str) -> Server:
    """The payment sandbox of this test run; a test that stops it starts it again."""
    return _own_server(pytestconfig, "payment_sandbox")


def _environment(directory: Path, servers: Mapping[str, Server]) -> dict[str, str]:
    return {
        **new_secrets(),
        **settings_of(servers.values()),
        "STACK_DIR": str(directory),
        "STATIC_ROOT": str(directory / _STATIC_FILES),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "PLAIN_HTTP": "true",
        "FRONTEND_URL": "http://localhost:3000",
        "KAFKA_REPLICATION_FACTOR": "1",
        "LOGIN_RATE": "off",
        "REGISTRATION_RATE": "off",
    }


def _distributes_tests(config: pytest.Config) -> bool:
    """Whether this process lets other processes run the tests."""
    return bool(config.known_args_namespace.numprocesses) and "PYTEST_XDIST_WORKER" not in os.environ


def _running(request: pytest.FixtureRequest, fixture: str) -> str:
    """The address of the server, once it runs.

    The first call starts all servers that the selected tests ask for, at the same time.
    """
    started = request.config.stash[_STARTED]
    _start({fixture, *_fixtures_of(request.session.items)} - started, request.config.stash[_SERVERS])
    started |= {fixture, *_fixtures_of(request.session.items)}
    return os.environ[_SETTINGS[fixture]]


def _fixtures_of(items: Iterable[pytest.Item]) -> set[str]:
    """The fixtures of servers that these tests ask for."""
    asked_for = {name for item in items for name in getattr(item, "fixturenames", ()) if name in _SETTINGS}
    if any(item.get_closest_marker("django_db") for item in items):
        asked_for.add("postgresql")
    return asked_for


def _start(fixtures: Iterable[str], servers: Mapping[str, Server]) -> None:
    try:
        start_all(servers[_SETTINGS[name]] for name in fixtures if _SETTINGS[name] in servers)
    except StackError as error:
        pytest.fail(str(error), pytrace=False)


def _explain(absent: Iterable[str]) -> str:
    return (
        f"Not started, since no test has asked so far: {', '.join(absent)}. "
        "A test that needs one of them asks by the fixture of this name."
    )


def _own_server(config: pytest.Config, fixture: str) -> Server:
    servers, setting = config.stash[_SERVERS], _SETTINGS[fixture]
    if setting not in servers:
        pytest.skip(f"{setting} is the caller's server")
    return servers[setting]
