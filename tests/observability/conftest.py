"""A real Prometheus and Alertmanager with what is in `deploy/`; without them the tests are skipped."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devtools.monitoring.configuration import Trial
from devtools.monitoring.programs import (
    ALERTMANAGER,
    AMTOOL,
    PROMETHEUS,
    PROMTOOL,
    NoProgram,
    find_program,
)
from devtools.monitoring.watching import Monitoring
from devtools.stack.stack import Stack
from tests.observability.exposition import Exposition
from tests.observability.webhook import Webhook
from tests.running_system import books, inbox, kafka_client, running_stack, shop

__all__ = ["books", "inbox", "kafka_client", "shop"]

StartMonitoring = Callable[..., Monitoring]
"""`start_monitoring(Trial(targets={"web": ["127.0.0.1:8000"]}), webhook="")`: see Monitoring."""


@pytest.fixture(scope="session")
def programs() -> None:
    """The test needs the programs of Prometheus."""
    try:
        for names in (PROMETHEUS, PROMTOOL, ALERTMANAGER, AMTOOL):
            find_program(names)
    except NoProgram as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def promtool(programs: None) -> Path:
    return find_program(PROMTOOL)


@pytest.fixture(scope="session")
def amtool(programs: None) -> Path:
    return find_program(AMTOOL)


@pytest.fixture(scope="package")
def stack(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system with its demo, for tests that leave it as they found it."""
    with running_stack(tmp_path_factory) as stack:
        yield stack


@pytest.fixture
def start_monitoring(programs: None, tmp_path: Path) -> Iterator[StartMonitoring]:
    """Starts a Prometheus, and an Alertmanager if it is given a webhook; both end with the test."""
    with ExitStack() as running:

        def start(trial: Trial, *, webhook: str = "", mail_server: str = "") -> Monitoring:
            monitoring = Monitoring(tmp_path / "monitoring", trial, webhook=webhook, mail_server=mail_server)
            return running.enter_context(monitoring)

        yield start


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A receiver for what Alertmanager sends."""
    with Webhook() as receiver:
        yield receiver


@pytest.fixture
def exposition() -> Iterator[Exposition]:
    """A target whose metrics the test sets."""
    with Exposition() as target:
        yield target
