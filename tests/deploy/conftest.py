"""Web processes and a daphne of a running system, as containers have them; and an engine for containers."""

from collections.abc import Iterator

import pytest

from devtools.stack.stack import Stack
from tests.deploy.behind_nginx import Process
from tests.deploy.engine import Engine, require_docker
from tests.deploy.images import STORES, build_ours, build_stand_ins, import_base
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


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    """A Docker engine without images."""
    require_docker()
    engine = Engine()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="package")
def engine_with_images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine with our image, and stand-ins for the stores and nginx."""
    import_base(engine)
    build_ours(engine)
    build_stand_ins(engine, STORES, tmp_path_factory.mktemp("images"))
    return engine
