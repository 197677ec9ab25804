"""Group commit: requests that several threads make at the same time are executed as one batch.

The thread of a batch's first request, the leader, executes it; the threads of the others, the followers,
wait. Requests that arrive while a batch is executed form the next one. A single request is executed at once.
After a batch, the next leader waits a moment until as many requests have arrived as can be expected.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
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
        self._waiting: deque[_Call[Request, Result]] = deque()
        self._has_leader = False
        self._waiting_leader: _Call[Request, Result] | None = None
        self._expected_size = 0
        self._expected_until = 0.0

    def call(self, request: Request) -> Result:
        """Return the result for this request, or raise its exception."""
        call = _Call[Request, Result](request)
        with self._guard:
            self._waiting.append(call)
            is_follower, self._has_leader = self._has_leader, True
            if self._waiting_leader and self._is_complete():
                self._waiting_leader.wake()
                self._waiting_leader = None
        if is_follower:
            call.wait()
        if call.outcome is None:
            self._await_followers(call)
            self._lead()
        return call.result()

    def _is_complete(self) -> bool:
        return len(self._waiting) >= min(self._expected_size, self._limit)

    def _await_followers(self, call: "_Call[Request, Result]") -> None:
        with self._guard:
            seconds = self._expected_until - time.monotonic()
            if seconds <= 0 or self._is_complete():
                return
            self._waiting_leader = call
        if not call.wait(seconds):
            with self._guard:
                if self._waiting_leader is None:  # woken in this very moment
                    call.wait()
                self._waiting_leader = None

    def _lead(self) -> None:
        with self._guard:
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
        for call, outcome in zip(batch, self._outcomes([call.request for call in batch]), strict=True):
            call.outcome = outcome
        self._finish(batch)

    def _outcomes(self, requests: Sequence[Request]) -> Sequence[Result | BaseException]:
        """A result or an exception for each request; never raises, since no follower may wait for ever."""
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

    def _finish(self, batch: "Sequence[_Call[Request, Result]]") -> None:
        """Wake the followers of this batch and the leader of the next one."""
        with self._guard:
            next_leader = [self._waiting[0]] if self._waiting else []
            self._has_leader = bool(next_leader)
            self._expected_size = len(batch) + len(self._waiting)
            self._expected_until = time.monotonic() + GROUP_COMMIT_PACING.pause_after(len(batch))
        for call in (*next_leader, *batch):
            call.wake()


class _Call(Generic[Request, Result]):
    """The request of one thread, and its outcome."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.outcome: Result | BaseException | None = None
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wait(self, seconds: float = -1) -> bool:
        """Wait until this call has an outcome, becomes the leader, or as leader has all expected followers.

        Returns False if none of it happens within this time.
        """
        return self._asleep.acquire(timeout=seconds)

    def wake(self) -> None:
        """End the wait, whether it has begun or not."""
        self._asleep.release()

    def result(self) -> Result:
        """Return the outcome, or raise it."""
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome
