"""The whole system, running on servers of its own for all tests of this folder."""

from collections.abc import Iterator

import pytest

from devtools.stack.stack import Stack
from tests.running_system import kafka_client, running_stack, shop

__all__ = ["kafka_client", "shop"]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory, counts={"web": 1}) as stack:
        yield stack
