"""The first orders of a system that has just said that it runs, and after a worker was killed."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection

from devtools.benchmarks.figures import Options, Row, figure
from devtools.benchmarks.ledger_watch import LedgerWatch
from devtools.benchmarks.order_socket import OrderSocket
from devtools.benchmarks.placing import order_body, place_on
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from kafka_workers.workers import SAGA, Worker

ORDERS = 10
_SHOWN = {1: "first", 2: "second", ORDERS: "tenth"}
_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class FirstOrderResult:
    """One order; times from the moment before its POST."""

    answered: float = figure("POST → 201", "ms")
    stock: float = figure("POST → stock taken", "ms")
    confirmed: float = figure("POST → order:confirmed heard", "ms")


@dataclass(frozen=True)
class Customer:
    """A customer with an open socket, on one connection; each order follows the confirmation of the last."""

    connection: HTTPConnection
    token: str
    product: str
    stock: LedgerWatch
    listener: OrderSocket

    def orders(self, case: str) -> Iterator[tuple[str, FirstOrderResult]]:
        """Places ten orders, and gives the first, the second and the tenth."""
        for number in range(1, ORDERS + 1):
            result = self._order()
            if number in _SHOWN:
                yield f"{case}, {_SHOWN[number]} order", result

    def _order(self) -> FirstOrderResult:
        started = time.monotonic()
        order = place_on(self.connection, self.token, order_body([self.product]))
        answered = time.monotonic()
        stock, confirmed = self.stock.reached, self.listener.heard
        wait_until(lambda: order in stock and order in confirmed, "the order is confirmed", _SECONDS)
        return FirstOrderResult(
            answered=1000 * (answered - started),
            stock=1000 * (stock[order] - started),
            confirmed=1000 * (confirmed[order] - started),
        )


def measure(options: Options) -> Iterator[tuple[str, FirstOrderResult]]:
    """A new system in each run."""
    for _ in range(options.runs):
        with open_system(processes=False) as system:
            yield from _run(system)


def _run(system: System) -> Iterator[tuple[str, FirstOrderResult]]:
    [customer], [product] = system.new_customers(1), system.new_products(1)
    token = system.token(customer)
    connection = HTTPConnection("127.0.0.1", system.stack.settings.ports.web, timeout=_SECONDS)
    with LedgerWatch(system.catalogue["stock_ledger"]) as stock, closing(connection):
        system.stack.start_processes()
        system.stack.wait_until_ready()
        with OrderSocket(system.stack.urls["sockets"], token) as listener:
            orders = Customer(connection, token, product, stock, listener).orders
            yield from orders("fresh system")
            for worker in SAGA:
                _kill(system, worker)
                yield from orders(f"{worker.name} killed and back")


def _kill(system: System, worker: Worker) -> None:
    """Kills the worker, and returns when its next process says that it works."""
    before = system.stack.pid(worker.name)
    system.stack.kill(worker.name)
    wait_until(
        lambda: system.stack.pid(worker.name) not in (before, None) and system.has_heartbeat(worker.name),
        f"{worker.name} works again",
    )


ROW = Row(
    "first-order",
    "the first orders after the start, and after a worker was killed",
    measure,
    runs=5,
)
