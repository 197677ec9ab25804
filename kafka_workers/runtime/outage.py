"""Waiting while something that a worker needs is away: longer each time, never in step with other workers."""

import random

import structlog

from kafka_workers.metrics import CONSUMER_WAITING
from kafka_workers.runtime.exceptions import DependencyUnavailable

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0

log = structlog.get_logger(__name__)


class Outage:
    """One outage, from the first failure until `over`; says once that it began, and once that it is over."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._pauses = 0

    def next_pause(self, error: DependencyUnavailable) -> float:
        """How many seconds to wait after this failure."""
        if self._pauses == 0:
            CONSUMER_WAITING.labels(self._group).inc()
            log.warning("waiting, with the batch in hand", cause=str(error))
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._pauses)
        self._pauses += 1
        return random.uniform(longest / 2, longest)  # noqa: S311 - no secret depends on it

    def over(self) -> None:
        """Going on, or giving up the wait."""
        if self._pauses:
            CONSUMER_WAITING.labels(self._group).dec()
            log.info("the wait is over", pauses=self._pauses)
