"""One system for all fault tests; each leaves it whole and quiet."""

import random
from collections.abc import Iterator

import pytest

from devtools.faults.arena import Arena, open_arena


@pytest.fixture(scope="package")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A running system, to be struck."""
    with open_arena(tmp_path_factory.mktemp("arena")) as system:
        yield system


@pytest.fixture
def seed() -> int:
    """Another one each time; it is shown where a test fails."""
    return random.SystemRandom().randrange(10**6)
