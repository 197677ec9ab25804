"""A running system with a second and a third web process, as containers have them."""

from collections.abc import Iterator

import pytest

from devtools.stack.stack import Stack
from tests.deploy.reverse_proxy import Process
from tests.running_system import running_stack

# Not a local address: nobody may monitor who only says that he comes from it.
MONITOR = "192.0.2.1"


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The system on servers of its own."""
    with running_stack(tmp_path_factory) as stack:
        yield stack


@pytest.fixture(scope="package")
def behind_a_proxy(stack: Stack) -> dict[str, str]:
    """The environment of processes of this system that stand behind one proxy."""
    return stack.env | {"TRUSTED_PROXIES": "1", "MONITOR_ADDRESSES": MONITOR}


@pytest.fixture(scope="package")
def webs(behind_a_proxy: dict[str, str]) -> Iterator[list[Process]]:
    """Two web processes."""
    started = [Process.web(behind_a_proxy), Process.web(behind_a_proxy)]
    yield started
    for process in started:
        process.stop()


@pytest.fixture(scope="package")
def sockets(behind_a_proxy: dict[str, str]) -> Iterator[Process]:
    """A daphne."""
    started = Process.sockets(behind_a_proxy)
    yield started
    started.stop()
