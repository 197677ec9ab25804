"""Fixtures of the runtime's tests."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from devtools.driver.kafka import KafkaClient
from kafka_workers.workers import GROUPS
from tests.kafka_workers.runtime.workbench import Bench


@pytest.fixture(autouse=True)
def short_delays(settings: Settings) -> None:
    settings.RETRY_DELAYS_SECONDS = (0.2, 0.3, 0.4)


@pytest.fixture
def bench(short_delays: None, kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A group of the system whose topics exist."""
    bench = Bench(KafkaClient(kafka))
    monkeypatch.setitem(GROUPS, bench.group, (bench.topic,))
    bench.create_topics()
    yield bench
    bench.close()
