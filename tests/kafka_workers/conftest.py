"""The broker for the tests of workers."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.management import call_command

from devtools.driver.kafka import KafkaClient


@pytest.fixture(scope="session")
def kafka_client(kafka: str) -> Iterator[KafkaClient]:
    """The broker, with the topics of production."""
    call_command("create_topics", verbosity=0)
    with closing(KafkaClient(kafka)) as kafka_client:
        yield kafka_client
