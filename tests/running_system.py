"""A running system, and fixtures that drive it; the conftest that imports them defines `stack`."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from devtools.driver.gateway import GatewayBooks
from devtools.driver.inbox import Inbox
from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import Shop
from devtools.stack.ports import Ports
from devtools.stack.servers import MAIL
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack, embedded_stack


@contextmanager
def running_stack(
    tmp_path_factory: pytest.TempPathFactory,
    caller: Mapping[str, str] | None = None,
    counts: Mapping[str, int] | None = None,
) -> Iterator[Stack]:
    """The whole system with its demo, on servers of its own; `caller` and `counts` as in `embedded_stack`."""
    directory = tmp_path_factory.mktemp("stack")
    stack = embedded_stack(directory, ports=Ports.free(), caller=caller or {}, counts=counts)
    try:
        stack.start(demo=True)
        yield stack
    finally:
        stack.stop()


@contextmanager
def shop_of(stack: Stack) -> Iterator[Shop]:
    """The shop of this system, as people and programs use it."""
    shop = Shop(stack.urls["web"], stack.urls["sockets"], stack.env["SERVICE_API_KEY"])
    with closing(shop.http):
        yield shop


def manage(stack: Stack, *arguments: str, **settings: str) -> str:
    """What a management command prints on this system, with these settings besides; it must succeed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=stack.env | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def operator_path(*folders: Path) -> str:
    """The PATH of an operator's shell: `manage.py`, Python, Kafka's tools and these folders come first."""
    first = [PROJECT / "devtools" / "kafka-bin", Path(sys.executable).parent, PROJECT, *folders]
    return os.pathsep.join([*map(str, first), os.environ["PATH"]])


@pytest.fixture(scope="package")
def shop(stack: Stack) -> Iterator[Shop]:
    with shop_of(stack) as shop:
        yield shop


@pytest.fixture(scope="package")
def kafka_client(stack: Stack) -> Iterator[KafkaClient]:
    with closing(KafkaClient(stack.env["KAFKA_BROKERS"])) as kafka_client:
        yield kafka_client


@pytest.fixture(scope="package")
def books(stack: Stack) -> Iterator[GatewayBooks]:
    """The books of the payment gateway."""
    with closing(GatewayBooks(stack.env["STRIPE_API_BASE"], stack.env["STRIPE_SECRET_KEY"])) as books:
        yield books


@pytest.fixture(scope="package")
def inbox(stack: Stack) -> Iterator[Inbox]:
    """The mails that the system has sent."""
    with closing(Inbox(stack.servers[MAIL].page)) as inbox:
        yield inbox
