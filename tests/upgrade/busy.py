"""Customers who order all the time, and what became of their orders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from devtools.driver.shop import CANCELLED, PROCESSING, Caller, Shop, eventually


class Busy:
    """One customer who places orders and cancels every fourth at once; `failures` tells of wrong answers."""

    def __init__(self, customer: Caller, product: str) -> None:
        self.placed: list[str] = []
        self.cancelled: set[str] = set()
        self.failures: list[str] = []
        self._customer, self._product = customer, product
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="busy")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Return when the last order is placed."""
        self._ended.set()
        self._thread.join(30)

    def await_more(self, number: int = 20) -> None:
        """Return when so many more orders are placed."""
        wanted = len(self.placed) + number
        eventually(lambda: len(self.placed) >= wanted, "more orders are placed", seconds=60)

    def await_settled(self) -> None:
        """Return when each order is Processing or, where it was cancelled, its stock back."""
        for order in self.placed:
            if order in self.cancelled:
                self._customer.wait_for_status(order, CANCELLED, seconds=60)
                self._customer.wait_for_stock_status(order, "released", seconds=60)
            else:
                self._customer.wait_for_status(order, PROCESSING, seconds=60)

    def _run(self) -> None:
        # Not as many as it can: each order is looked at in the end.
        while not self._ended.wait(0.1):
            try:
                self._place()
            except httpx.TransportError:  # no answer: a proxy would ask another web process
                self._ended.wait(0.05)
            except AssertionError as error:
                self.failures.append(str(error))

    def _place(self) -> None:
        order = self._customer.place((self._product, 1))["id"]
        if len(self.placed) % 4 == 3:
            # Where no answer comes, nobody knows whether it was cancelled: such an order is not looked at.
            answer = self._customer.call("PATCH", f"orders/{order}/cancel/")
            assert answer.status_code == httpx.codes.OK, answer.text
            self.cancelled.add(order)
        self.placed.append(order)


@contextmanager
def busy_customer(shop: Shop) -> Iterator[Busy]:
    """A customer who orders during the block; then all orders are settled, and no request has failed."""
    busy = Busy(shop.new_customer(), shop.new_product(stock=1_000_000))
    busy.start()
    try:
        yield busy
    finally:
        busy.end()
    busy.await_settled()
    assert busy.failures == []
