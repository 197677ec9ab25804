"""The broker for the tests of workers."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.management import call_command

from devtools.driver.kafka import Wire


@pytest.fixture(scope="session")
def wire(kafka: str) -> Iterator[Wire]:
    """The broker, with the topics of production."""
    call_command("create_topics", verbosity=0)
    with closing(Wire(kafka)) as wire:
        yield wire
