"""Group commit: requests that are made at the same time are executed as one batch.

A thread of its own executes the batches, one at a time. Requests that arrive while a batch is executed form
the next one. A single request is executed at once. After a batch, the thread waits a moment until as many
requests have arrived as can be expected.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

import structlog
from django.db import InterfaceError, OperationalError

from foundation.pacing import GROUP_COMMIT_PACING
from foundation.refusals import Unavailable

FOR_ALL = (Unavailable, OperationalError, InterfaceError, KeyboardInterrupt, SystemExit)
"""Outages, where repeating would take long and might do a thing twice, and what ends the process."""

log = structlog.get_logger(__name__)

Request = TypeVar("Request")
Result = TypeVar("Result")


class WrongNumberOfOutcomes(Exception):
    """A batch was executed and gave another number of outcomes than it has requests."""

    def __init__(self, requests: int, outcomes: int) -> None:
        super().__init__(f"{outcomes} outcomes of {requests} requests")


class Call(Generic[Request, Result]):
    """A request, and its outcome once it was executed."""

    __slots__ = ("done", "outcome", "request", "traceback")

    def __init__(self, request: Request, done: "Callable[[Call[Request, Result]], object]") -> None:
        self.request = request
        self.done = done
        self.outcome: Result | BaseException | None = None
        self.traceback: TracebackType | None = None

    def result(self) -> Result:
        """Return the outcome, or raise it."""
        if isinstance(self.outcome, BaseException):
            # One exception is for many calls, and its traceback would grow by each that raises it.
            raise self.outcome.with_traceback(self.traceback)
        assert self.outcome is not None
        return self.outcome


class GroupCommit(Generic[Request, Result]):
    """Executes one batch at a time, of at most `limit` requests.

    `execute` gets the requests of a batch and returns a result or an exception for each, in their order. If
    it raises, one of the requests may be at fault: each is executed once more, alone, so that only those that
    fail alone get an exception. So `execute` must raise only what leaves nothing done, or be safe to repeat.
    An outage, and an exception that ends the process, is for every request of the batch.
    """

    def __init__(
        self, execute: Callable[[Sequence[Request]], Sequence[Result | Exception]], *, limit: int
    ) -> None:
        self._execute = execute
        self._limit = limit
        self._guard = threading.Lock()
        self._waiting: deque[Call[Request, Result]] = deque()
        self._expected_size = 0
        self._expected_until = 0.0
        self._thread: threading.Thread | None = None
        # The thread sleeps until so many requests wait; then it is woken by releasing the alarm.
        self._is_asleep = False
        self._wakes_at = 0
        self._alarm = threading.Lock()
        self._alarm.acquire()

    def submit(self, request: Request, done: Callable[[Call[Request, Result]], object]) -> None:
        """Have the request executed; then `done` is called with its outcome, in the thread of the batches."""
        with self._guard:
            self._waiting.append(Call(request, done))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="group commit", daemon=True)
                self._thread.start()
            elif self._is_asleep and len(self._waiting) >= self._wakes_at:
                self._is_asleep = False
                self._alarm.release()

    def run(self, request: Request) -> Call[Request, Result]:
        """Wait until the request is executed; it has its outcome then."""
        executed: deque[Call[Request, Result]] = deque()
        waiting = threading.Lock()
        waiting.acquire()

        def done(call: Call[Request, Result]) -> None:
            executed.append(call)
            waiting.release()

        self.submit(request, done)
        waiting.acquire()
        return executed.pop()

    def call(self, request: Request) -> Result:
        """Return the result for this request, or raise its exception."""
        return self.run(request).result()

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            outcomes = self._outcomes([call.request for call in batch])
            self._expect(len(batch))
            tracebacks = [getattr(outcome, "__traceback__", None) for outcome in outcomes]
            for call, outcome, traceback in zip(batch, outcomes, tracebacks, strict=True):
                call.outcome, call.traceback = outcome, traceback
                self._tell(call)

    def _next_batch(self) -> "list[Call[Request, Result]]":
        self._sleep(until_waiting=1)
        if (seconds := self._expected_until - time.monotonic()) > 0:
            self._sleep(until_waiting=min(self._expected_size, self._limit), seconds=seconds)
        with self._guard:
            return [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]

    def _sleep(self, *, until_waiting: int, seconds: float = -1) -> None:
        """Return when so many requests wait, or this time is over."""
        with self._guard:
            self._is_asleep = len(self._waiting) < until_waiting
            self._wakes_at = until_waiting
            if not self._is_asleep:
                return
        if not self._alarm.acquire(timeout=seconds):
            with self._guard:
                if not self._is_asleep:  # woken in this very moment
                    self._alarm.acquire()
                self._is_asleep = False

    def _outcomes(self, requests: Sequence[Request]) -> Sequence[Result | BaseException]:
        """A result or an exception for each request; never raises, since each waits for its outcome."""
        try:
            outcomes = self._execute(requests)
            if len(outcomes) != len(requests):
                raise WrongNumberOfOutcomes(len(requests), len(outcomes))  # noqa: TRY301
        except FOR_ALL as error:
            return [error] * len(requests)
        except BaseException as error:
            if len(requests) == 1:
                return [error]
            log.warning("a batch failed: repeating it one at a time", size=len(requests), reason=repr(error))
            return [outcome for request in requests for outcome in self._outcomes([request])]
        return outcomes

    def _expect(self, answered: int) -> None:
        """Those that are answered now, and those that wait, are likely to be in the next batch."""
        with self._guard:
            self._expected_size = answered + len(self._waiting)
        self._expected_until = time.monotonic() + GROUP_COMMIT_PACING.pause_after(answered)

    def _tell(self, call: Call[Request, Result]) -> None:
        try:
            call.done(call)
        except Exception:  # of one request: the others wait for their outcomes too
            log.exception("an outcome was not delivered")
