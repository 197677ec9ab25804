"""Patience with a server that is away: longer each time, and never in step with other workers."""

import random

import structlog

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0

log = structlog.get_logger(__name__)


class DependencyUnavailable(Exception):
    """A server that handling needs does not answer: the consumer waits and repeats, nothing is skipped."""

    def __init__(self, dependency: str, detail: str = "") -> None:
        super().__init__(f"{dependency} is unavailable{f': {detail}' if detail else ''}")
        self.dependency = dependency

    @property
    def cause(self) -> str:
        """What is the same for as long as the same thing is in the way."""
        return self.dependency


class Outage:
    """Says once that a server is away, and once that it is back."""

    def __init__(self) -> None:
        self._server = ""
        self._cause = ""
        self._pause = FIRST_PAUSE_SECONDS

    def met(self, error: DependencyUnavailable) -> float:
        """Take note of a failure; how many seconds to wait before the next attempt."""
        if error.cause != self._cause:
            log.warning("a server is away: waiting", server=error.dependency, detail=str(error))
            self._server, self._cause = error.dependency, error.cause
            self._pause = FIRST_PAUSE_SECONDS
        pause = self._pause
        self._pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
        return random.uniform(pause / 2, pause)  # noqa: S311 - spreads attempts, hides nothing

    def over(self) -> None:
        """Take note of success."""
        if self._server:
            log.info("the server is back", server=self._server)
            self._server = self._cause = ""
