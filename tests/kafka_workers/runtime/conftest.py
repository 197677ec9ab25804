"""Fixtures of the runtime's tests."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from devtools.driver.kafka import Wire
from tests.kafka_workers.runtime.workbench import Bench


@pytest.fixture(autouse=True)
def short_delays(settings: Settings) -> None:
    settings.RETRY_DELAYS_SECONDS = (0.2, 0.3, 0.4)


@pytest.fixture
def bench(short_delays: None) -> Iterator[Bench]:
    """A group whose topics are there."""
    bench = Bench(Wire(django_settings.KAFKA_BROKERS))
    bench.create_topics()
    yield bench
    bench.close()
