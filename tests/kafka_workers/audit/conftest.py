"""A shop whose relay and consumers run, and its audit."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

import msgspec
import pytest
from bson import ObjectId
from django.core.management import CommandError, call_command
from django.db import connection

from devtools.driver.shop import eventually
from kafka_workers.consumers.inventory import INVENTORY_CONSUMER
from kafka_workers.consumers.orders import ORDER_CONSUMER
from kafka_workers.relay.outbox_relay import OutboxRelay
from kafka_workers.runtime.consuming.consumer_loop import run
from kafka_workers.runtime.producing.producer import Producer
from orders_app.document import OrderDocument
from orders_app.state_machine import OrderStatus
from products_app.documents.ledger import ledger_collection
from products_app.documents.product import product_collection
from tests.concurrency import running
from tests.orders_app.ordering import OrderPlacer, catalogue, now, placer
from tests.products_app.product_stock import stocked

__all__ = ["catalogue", "placer"]

Json = dict[str, Any]


@contextmanager
def running_relay() -> Iterator[None]:
    def relay(stop: threading.Event) -> None:
        with Producer("relay-under-audit") as producer:
            OutboxRelay(producer).run(stop)

    with running(relay):
        yield


@contextmanager
def running_workers() -> Iterator[None]:
    """Runs the relay and both consumers in threads."""
    with ExitStack() as workers:
        workers.enter_context(running_relay())
        workers.enter_context(running(lambda stop: run(INVENTORY_CONSUMER, stop)))
        workers.enter_context(running(lambda stop: run(ORDER_CONSUMER, stop)))
        yield


@dataclass
class Shop:
    """The shop as the tests change it: through its services, and directly in the databases."""

    placer: OrderPlacer

    def place(self, product: str, quantity: int = 2) -> OrderDocument:
        return self.placer.place_items((product, quantity)).order

    def wait_for(self, order: OrderDocument, status: OrderStatus) -> OrderDocument:
        eventually(lambda: now(order).status == status, f"the order {status.label}", seconds=30)
        return now(order)

    def processed(self, product: str, quantity: int = 2) -> OrderDocument:
        """Places an order and waits until its stock is reserved."""
        return self.wait_for(self.place(product, quantity), OrderStatus.PROCESSING)

    def change_product(self, product: str, change: Json) -> None:
        assert product_collection().update_one({"_id": ObjectId(product)}, change).modified_count == 1

    def remove_entry(self, order: OrderDocument) -> None:
        assert ledger_collection().delete_one({"_id": str(order.id)}).deleted_count == 1

    def audit(self, *options: str, grace: float = 20) -> Json:
        """The report of the audit, with its exit code under `exitCode`."""
        out, code = StringIO(), 0
        try:
            call_command("audit_stock", "--json", f"--grace={grace}", *options, stdout=out)
        except CommandError as error:
            code = error.returncode
        finally:
            connection.close()
        report: Json = msgspec.json.decode(out.getvalue())
        return report | {"exitCode": code}

    def difference(self, *options: str) -> Json:
        """The only difference that the audit reports."""
        report = self.audit(*options)
        [difference] = report["differences"]
        return dict(difference)

    def assert_clean(self) -> None:
        report = self.audit()
        assert (report["exitCode"], report["differences"], report["driftPieces"]) == (0, [], 0)


@pytest.fixture
def closed_shop(clean_catalogue: None, kafka_client: object, placer: OrderPlacer) -> Shop:
    """A shop without running workers."""
    return Shop(placer)


@pytest.fixture
def shop(closed_shop: Shop) -> Iterator[Shop]:
    """A shop with all workers running."""
    with running_workers():
        yield closed_shop


@pytest.fixture
def lantern(closed_shop: Shop) -> str:
    """A product with a stock of ten."""
    return stocked(10)
