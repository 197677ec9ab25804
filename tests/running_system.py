"""Fixtures that drive a running system from outside; the conftest that imports them defines `stack`."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from devtools.driver.gateway import GatewayBooks
from devtools.driver.inbox import Inbox
from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import Shop
from devtools.stack.servers import MAIL
from devtools.stack.stack import Stack


@pytest.fixture(scope="package")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.urls["web"], stack.urls["sockets"], stack.env["SERVICE_API_KEY"])
    yield shop
    shop.http.close()


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
