"""Ends what was left open: payments whose end only the webhook tells, and refunds that fail later."""

import time

from devtools.payment_sandbox.books import Books
from devtools.payment_sandbox.clock import Clock
from devtools.payment_sandbox.payments import succeed
from devtools.payment_sandbox.refunds import fail_refund
from devtools.payment_sandbox.webhooks import Schedule


class Endings(Clock):
    """A clock for payments and refunds that end later."""

    def __init__(self, books: Books, schedule: Schedule) -> None:
        super().__init__("endings")
        self._books, self._schedule = books, schedule

    def do_what_is_due(self) -> None:
        """Ends the payments and refunds whose time has come."""
        with self._books.writing():
            for identifier in self._books.take_endings(time.time()):
                self._end(identifier)

    def _end(self, identifier: str) -> None:
        if payment := self._books.find("payment_intent", identifier):
            succeed(self._books, self._schedule, payment)
        elif refund := self._books.find("refund", identifier):
            fail_refund(self._books, self._schedule, refund)
