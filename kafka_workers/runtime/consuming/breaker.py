"""Stops a worker whose messages become dead letters one after the other."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from django.conf import settings
from msgspec import Struct

from kafka_workers.runtime.exceptions import FloodOfDeadLetters


class FloodLimits(Struct, frozen=True, kw_only=True):
    """When dead letters are a flood: `run` of them in a row, or more than a `share` within `seconds`.

    The share counts from `least` dead letters on. Neither stops a worker whose good messages of the same time
    outnumber the dead letters.
    """

    run: int
    share: float
    least: int
    seconds: float

    @classmethod
    def from_settings(cls) -> "FloodLimits":
        return cls(
            run=settings.BREAKER_RUN,
            share=settings.BREAKER_PERCENT / 100,
            least=4 * settings.BREAKER_RUN,
            seconds=settings.BREAKER_SECONDS,
        )


class FloodBreaker:
    """Counts what became of each message; `clock` gives seconds."""

    def __init__(self, group: str, limits: FloodLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._group = group
        self._limits = limits
        self._clock = clock
        self._batches: deque[tuple[float, int, int]] = deque()
        self._good = 0
        self._dead = 0
        self._in_a_row = 0

    def count(self, is_dead: Sequence[bool]) -> None:
        """Take a batch in its order, True for a dead letter; raises FloodOfDeadLetters."""
        self._add(good=is_dead.count(False), dead=is_dead.count(True))
        self._forget_old()
        longest = self._longest_run(is_dead)
        if self._is_flood(longest):
            raise FloodOfDeadLetters(self._group, self._dead, self._good, longest, self._limits.seconds)

    def _add(self, *, good: int, dead: int) -> None:
        self._good += good
        self._dead += dead
        self._batches.append((self._clock(), good, dead))

    def _forget_old(self) -> None:
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

    def _is_flood(self, run: int) -> bool:
        if self._good > self._dead:
            return False
        too_many = self._dead >= self._limits.least and (
            self._dead > self._limits.share * (self._dead + self._good)
        )
        return too_many or run >= self._limits.run
