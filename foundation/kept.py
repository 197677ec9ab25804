"""A value that costs something to find out, kept for a short time for all who ask meanwhile."""

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import structlog
from django.db import connection

from foundation.lasting_trouble import LastingTrouble

Value = TypeVar("Value")
REST = 20
"""A value is kept at least so many times as long as its search took: searches take little of the time."""

log = structlog.get_logger(__name__)


class _Found(NamedTuple, Generic[Value]):
    """A value that was found, which may be None."""

    value: Value


class Kept(Generic[Value]):
    """What `find` returned last, for at least `seconds`. One thread at a time searches anew."""

    def __init__(self, find: Callable[[], Value], *, seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._trouble = LastingTrouble(
            log,
            begins="a value for the pages of staff cannot be found out",
            ends="a value for the pages of staff is found out again",
        )
        self._searching = threading.Lock()
        self._found: _Found[Value] | None = None
        self._due = 0.0

    def get(self) -> Value:
        """The value. While another thread searches, the one before, if there is one.

        Raises the errors of `find`.
        """
        found = self._found
        if found and (time.monotonic() < self._due or not self._searching.acquire(blocking=False)):
            return found.value
        if not found:
            self._searching.acquire()
        try:
            if self._found is found:  # no other thread has searched meanwhile
                self._found = self._search()
            return self._found.value  # type: ignore[union-attr]  # it was None only where it was just set
        finally:
            self._searching.release()

    def last(self, wait: float = 0.0) -> Value | None:
        """The value as it is known: None before the first search has ended.

        Where it is due, a thread of its own searches; this waits for it at most `wait` seconds. Errors of
        `find` are logged.
        """
        if time.monotonic() >= self._due and self._searching.acquire(blocking=False):
            search = threading.Thread(target=self._search_aside, name="kept", daemon=True)
            search.start()
            search.join(wait)
        return self._found.value if self._found else None

    def _search(self) -> _Found[Value]:
        start = time.monotonic()
        value = self._find()
        end = time.monotonic()
        self._due = end + max(self._seconds, REST * (end - start))
        return _Found(value)

    def _search_aside(self) -> None:
        try:
            self._found = self._search()
        except Exception as error:  # whatever it is: the value before stays
            self._trouble.meet(error=repr(error))
            self._due = time.monotonic() + self._seconds
        else:
            self._trouble.end()
        finally:
            self._searching.release()
            connection.close()
