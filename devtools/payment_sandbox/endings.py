"""Ends what was left open: payments whose end only the webhook tells, and refunds that fail later."""

import time

from devtools.payment_sandbox.books import Books, Entries
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
        with self._books.reading() as entries:
            is_due = entries.has_endings(time.time())
        if is_due:
            with self._books.writing() as entries:
                for identifier in entries.take_endings(time.time()):
                    self._end(entries, identifier)

    def _end(self, entries: Entries, identifier: str) -> None:
        if payment := entries.find("payment_intent", identifier):
            succeed(entries, self._schedule, payment)
        elif refund := entries.find("refund", identifier):
            fail_refund(entries, self._schedule, refund)
