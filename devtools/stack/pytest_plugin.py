"""Real servers under every test run: started before Django reads its settings, gone afterwards.

With `-n` each process that runs tests has servers of its own.

KAFKA_BROKERS, MONGODB_URI or DATABASE_URL set by the caller stand in for a server of ours.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from devtools.stack.errors import StackError
from devtools.stack.ports import Ports
from devtools.stack.server import Server
from devtools.stack.servers import embedded_servers, start_all, stop_all
from devtools.stack.settings import new_secrets

_SERVERS = pytest.StashKey[Mapping[str, Server]]()
_QUESTIONS = (
    "help",
    "version",
    "collectonly",
    "markers",
    "showfixtures",
    "show_fixtures_per_test",
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """As a wrapper, ahead of pytest-django, which loads the settings in the same hook."""
    directory = Path(tempfile.mkdtemp(prefix="stockbridge-test-"))
    early_config.add_cleanup(lambda: shutil.rmtree(directory))
    servers = embedded_servers(directory, ports=Ports.free(), caller=os.environ)
    if _shares_out_tests(early_config):
        # Those to whom it does inherit its environment, and would take our servers for the caller's.
        with patch.dict(os.environ, _settings(directory, servers)):
            return (yield)
    os.environ.update(_settings(directory, servers))
    early_config.stash[_SERVERS] = servers
    early_config.add_cleanup(lambda: stop_all(servers.values()))
    if _runs_tests(early_config):
        _start(servers)
    return (yield)


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config) -> Server:
    """The broker of this test run; a test that stops it starts it again."""
    return _server(pytestconfig, "KAFKA_BROKERS")


@pytest.fixture(scope="session")
def mongo_server(pytestconfig: pytest.Config) -> Server:
    """The MongoDB of this test run; a test that stops it starts it again."""
    return _server(pytestconfig, "MONGODB_URI")


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Server:
    """The PostgreSQL of this test run; a test that stops it starts it again."""
    return _server(pytestconfig, "DATABASE_URL")


def _settings(directory: Path, servers: Mapping[str, Server]) -> dict[str, str]:
    return {
        **new_secrets(),
        **{setting: server.url for setting, server in servers.items()},
        "STACK_DIR": str(directory),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "PLAIN_HTTP": "true",
        "FRONTEND_URL": "http://localhost:3000",
        "KAFKA_REPLICATION_FACTOR": "1",
        "LOGIN_RATE": "off",
        "REGISTRATION_RATE": "off",
    }


def _runs_tests(config: pytest.Config) -> bool:
    options = config.known_args_namespace
    return not any(getattr(options, question, False) for question in _QUESTIONS)


def _shares_out_tests(config: pytest.Config) -> bool:
    """Whether this is the process that has others run the tests."""
    return bool(config.known_args_namespace.numprocesses) and "PYTEST_XDIST_WORKER" not in os.environ


def _start(servers: Mapping[str, Server]) -> None:
    try:
        start_all(servers.values())
    except StackError as error:
        raise pytest.UsageError(str(error)) from error


def _server(config: pytest.Config, setting: str) -> Server:
    servers = config.stash[_SERVERS]
    if setting not in servers:
        pytest.skip(f"{setting} is the caller's server")
    return servers[setting]
