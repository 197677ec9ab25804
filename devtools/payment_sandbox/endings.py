"""Ends what was left open: payments whose end only the webhook tells, and refunds that fail later."""

import threading
import time

from devtools.payment_sandbox.books import Books
from devtools.payment_sandbox.payments import succeed
from devtools.payment_sandbox.refunds import fail_refund
from devtools.payment_sandbox.webhooks import Schedule

_POLL_SECONDS = 0.05


class Endings(threading.Thread):
    """A clock for payments and refunds that end later."""

    def __init__(self, books: Books, schedule: Schedule) -> None:
        super().__init__(name="endings", daemon=True)
        self._books, self._schedule = books, schedule
        self._ended = threading.Event()

    def stop(self) -> None:
        """Ends the thread."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """End what is due, until `stop`."""
        while not self._ended.wait(_POLL_SECONDS):
            with self._books.writing():
                for identifier in self._books.take_endings(time.time()):
                    self._end(identifier)

    def _end(self, identifier: str) -> None:
        if payment := self._books.find("payment_intent", identifier):
            succeed(self._books, self._schedule, payment)
        elif refund := self._books.find("refund", identifier):
            fail_refund(self._books, self._schedule, refund)
