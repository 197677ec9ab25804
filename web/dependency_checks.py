"""Checks of other servers: all at once, each within a time, and not more often than needed."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from msgspec import Struct

CHECK_SECONDS = 2.0
REUSE_SECONDS = 1.0
"""For how long what a check has found is answered to all that ask: it costs a connection."""
ERROR_CHARACTERS = 200

T = TypeVar("T")


class Finding(Struct, Generic[T], frozen=True):
    """What one check found: how long it took, and its result, or the error's text where it failed."""

    milliseconds: float
    result: T | None = None
    error: str | None = None


class Check(Generic[T]):
    """A function that returns something about a server, or raises where that cannot be reached.

    It runs once at a time, however many ask: one that hangs holds one thread, and no process's end.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._guard = threading.Lock()
        self._started_at = 0.0
        self._running: Future[Finding[T]] | None = None

    def start(self) -> "tuple[Future[Finding[T]], float]":
        """A run, new or under way or just ended, and how many seconds of its time are left."""
        with self._guard:
            age = time.monotonic() - self._started_at
            running = self._running
            if running is None or (running.done() and age >= REUSE_SECONDS):
                running, age = Future(), 0.0
                self._running, self._started_at = running, time.monotonic()
                threading.Thread(target=self._run, args=[running], name="health", daemon=True).start()
            return running, max(0.0, CHECK_SECONDS - age)

    def _run(self, running: "Future[Finding[T]]") -> None:
        start = time.perf_counter()
        result, error = None, None
        try:
            result = self._function()
        except Exception as failure:  # whatever a check raises is what it found
            error = f"{type(failure).__name__}: {failure}".splitlines()[0][:ERROR_CHARACTERS]
        running.set_result(Finding(round((time.perf_counter() - start) * 1000, 1), result, error))


def find_all(checks: Mapping[str, Check[T]]) -> dict[str, Finding[T]]:
    """What these checks find, run side by side; one that takes more than CHECK_SECONDS has failed."""
    started = {name: check.start() for name, check in checks.items()}
    wait([running for running, _ in started.values()], max((left for _, left in started.values()), default=0))
    return {name: _finding(running) for name, (running, _) in started.items()}


def _finding(running: "Future[Finding[T]]") -> Finding[T]:
    if running.done():
        return running.result()
    return Finding(CHECK_SECONDS * 1000, error=f"no answer within {CHECK_SECONDS:g} s")
