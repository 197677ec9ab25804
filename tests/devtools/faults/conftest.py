"""One system for all fault tests; each test leaves it running and without unfinished work."""

import random
from collections.abc import Iterator

import pytest

from devtools.faults.system import System, open_system


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system, on which tests inject faults."""
    with open_system(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture
def seed() -> int:
    """A random seed; a failing test shows it."""
    return random.SystemRandom().randrange(10**6)
