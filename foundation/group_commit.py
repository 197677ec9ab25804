"""Group commit: what many threads ask for at the same time is done together.

What comes while a batch is at work makes up the next. A request that comes alone is done at once, by the
thread that brought it; where batches follow one another, each waits a moment for those who were just
answered, until as many have come back.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from foundation.pacing import GROUP_COMMIT_PACING

Request = TypeVar("Request")
Result = TypeVar("Result")


class Gathering(Generic[Request, Result]):
    """One batch is at work at a time, of at most `limit` requests, in the thread of its first request.

    `work` gives a result or an exception for each request, in their order; what it raises, all of them get.
    """

    def __init__(
        self, work: Callable[[Sequence[Request]], Sequence[Result | Exception]], *, limit: int
    ) -> None:
        self._work = work
        self._limit = limit
        self._guard = threading.Lock()
        self._waiting: deque[_Call[Request, Result]] = deque()
        self._is_led = False
        self._host: _Call[Request, Result] | None = None
        self._expected = 0
        self._expected_until = 0.0

    def call(self, request: Request) -> Result:
        """The result for this request; raises its exception."""
        call = _Call[Request, Result](request)
        with self._guard:
            self._waiting.append(call)
            must_wait, self._is_led = self._is_led, True
            if self._host and self._is_complete():
                self._host.wake()
                self._host = None
        if must_wait:
            call.wait()
        if call.outcome is None:
            self._await_company(call)
            self._lead()
        return call.result()

    def _is_complete(self) -> bool:
        return len(self._waiting) >= min(self._expected, self._limit)

    def _await_company(self, call: "_Call[Request, Result]") -> None:
        with self._guard:
            seconds = self._expected_until - time.monotonic()
            if seconds <= 0 or self._is_complete():
                return
            self._host = call
        if not call.wait(seconds):
            with self._guard:
                if self._host is None:  # woken in this very moment
                    call.wait()
                self._host = None

    def _lead(self) -> None:
        with self._guard:
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
        try:
            outcomes: Sequence[Result | BaseException] = self._work([call.request for call in batch])
        except BaseException as error:  # whatever it is, nobody may be left waiting
            outcomes = [error] * len(batch)
        for call, outcome in zip(batch, outcomes, strict=True):
            call.outcome = outcome
        self._pass_on(batch)

    def _pass_on(self, batch: "Sequence[_Call[Request, Result]]") -> None:
        """Let this batch go, and the first of those who came meanwhile lead the next one."""
        with self._guard:
            next_leader = [self._waiting[0]] if self._waiting else []
            self._is_led = bool(next_leader)
            self._expected = len(batch) + len(self._waiting)
            self._expected_until = time.monotonic() + GROUP_COMMIT_PACING.pause_after(len(batch))
        for call in (*next_leader, *batch):
            call.wake()


class _Call(Generic[Request, Result]):
    """One thread's request, and what came of it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.outcome: Result | BaseException | None = None
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wait(self, seconds: float = -1) -> bool:
        """Until there is an outcome, this call's thread has to lead, or its company is complete.

        False where that takes longer than so many seconds.
        """
        return self._asleep.acquire(timeout=seconds)

    def wake(self) -> None:
        """End its wait, whether it has begun or not."""
        self._asleep.release()

    def result(self) -> Result:
        """The outcome, or raise it."""
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome
