"""The whole system, running on servers of its own for all tests of this folder."""

from collections.abc import Iterator

import pytest

from devtools.stack.ports import Ports
from devtools.stack.stack import Stack, embedded_stack
from tests.running_system import books, inbox, kafka_client, shop

__all__ = ["books", "inbox", "kafka_client", "shop"]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = embedded_stack(
        tmp_path_factory.mktemp("stack"), ports=Ports.free(), caller={}, counts={"inventory": 2}
    )
    try:
        stack.start(demo=True)
        yield stack
    finally:
        stack.stop()
