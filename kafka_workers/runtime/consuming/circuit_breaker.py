"""Stops a consumer when too many of its messages become dead letters."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from django.conf import settings
from msgspec import Struct

from kafka_workers.runtime.exceptions import CircuitBreakerOpen


class CircuitBreakerLimits(Struct, frozen=True, kw_only=True):
    """When the circuit breaker opens: `run` dead letters in a row, or more than a `share` within `seconds`.

    The share counts once there are at least `least` dead letters. The breaker stays closed while the good
    messages of the same time outnumber the dead letters.
    """

    run: int
    share: float
    least: int
    seconds: float

    @classmethod
    def from_settings(cls) -> "CircuitBreakerLimits":
        return cls(
            run=settings.BREAKER_RUN,
            share=settings.BREAKER_PERCENT / 100,
            least=4 * settings.BREAKER_RUN,
            seconds=settings.BREAKER_SECONDS,
        )


class CircuitBreaker:
    """Counts good messages and dead letters; `clock` gives seconds."""

    def __init__(
        self, group: str, limits: CircuitBreakerLimits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._group = group
        self._limits = limits
        self._clock = clock
        self._batches: deque[tuple[float, int, int]] = deque()
        self._good = 0
        self._dead = 0
        self._in_a_row = 0

    def count(self, is_dead: Sequence[bool]) -> None:
        """Take the messages of a batch in order, True for a dead letter. Raises CircuitBreakerOpen."""
        self._add(good=is_dead.count(False), dead=is_dead.count(True))
        self._drop_old_batches()
        longest = self._longest_run(is_dead)
        if self._must_open(longest):
            raise CircuitBreakerOpen(self._group, self._dead, self._good, longest, self._limits.seconds)

    def _add(self, *, good: int, dead: int) -> None:
        self._good += good
        self._dead += dead
        self._batches.append((self._clock(), good, dead))

    def _drop_old_batches(self) -> None:
        oldest = self._clock() - self._limits.seconds
        while self._batches[0][0] < oldest:
            _, good, dead = self._batches.popleft()
            self._good -= good
            self._dead -= dead

    def _longest_run(self, is_dead: Sequence[bool]) -> int:
        longest = 0
        for dead in is_dead:
            self._in_a_row = self._in_a_row + 1 if dead else 0
            longest = max(longest, self._in_a_row)
        return longest

    def _must_open(self, run: int) -> bool:
        if self._good > self._dead:
            return False
        exceeds_share = self._dead >= self._limits.least and (
            self._dead > self._limits.share * (self._dead + self._good)
        )
        return exceeds_share or run >= self._limits.run
