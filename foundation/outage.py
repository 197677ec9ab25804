"""Exponential backoff with jitter while a dependency is unavailable."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from foundation.lasting_trouble import LastingTrouble
from foundation.work_report import tell_answer, tell_wait

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0

log = structlog.get_logger(__name__)


class DependencyUnavailable(Exception):
    """A dependency does not answer; the worker waits and repeats its step, and skips nothing."""

    def __init__(self, dependency: str, detail: str = "") -> None:
        super().__init__(f"{dependency} is unavailable{f': {detail}' if detail else ''}")
        self.dependency = dependency

    @property
    def cause(self) -> str:
        """Identifies the cause of the outage: errors with the same cause are logged once."""
        return self.dependency


class NotNow(Exception):
    """A dependency works, and does not do this one thing now: it must be tried again later.

    That is no fault of the code. With a `patience` it is tried for so long, otherwise as often as anything
    else that fails.
    """

    patience: timedelta | None = None


class Outage:
    """The outage of a dependency: logs its beginning and its end once, and computes the pauses between."""

    def __init__(self) -> None:
        self._trouble = LastingTrouble(
            log, begins="dependency unavailable: waiting", ends="dependency available again"
        )
        self._dependency = ""
        self._cause = ""
        self._pause = FIRST_PAUSE_SECONDS

    def record_failure(self, error: DependencyUnavailable) -> float:
        """Record a failed attempt; returns the seconds to wait before the next one."""
        is_new = error.cause != self._cause
        self._trouble.meet(is_new=is_new, dependency=error.dependency, error=str(error))
        if is_new:
            if error.dependency != self._dependency:
                tell_answer(self._dependency)
            tell_wait(error.dependency)
            self._dependency, self._cause = error.dependency, error.cause
            self._pause = FIRST_PAUSE_SECONDS
        pause = self._pause
        self._pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
        # Jitter, so that the workers do not all repeat at the same moment.
        return random.uniform(pause / 2, pause)  # noqa: S311 - no secret

    def record_success(self) -> None:
        """Record a successful attempt, which ends the outage."""
        if self._dependency:
            self._trouble.end(dependency=self._dependency)
            tell_answer(self._dependency)
            self._dependency = self._cause = ""


def take_turns(stop: threading.Event, turn: Callable[[], float]) -> None:
    """Call `turn` until `stop` is set; it returns the seconds to wait before the next time.

    Where it raises DependencyUnavailable, it is called again after a backoff.
    """
    outage = Outage()
    while not stop.is_set():
        try:
            pause = turn()
        except DependencyUnavailable as error:
            pause = outage.record_failure(error)
        else:
            outage.record_success()
        stop.wait(pause)
