"""Keeps a consumer from making dead letters of a whole topic: after too many it waits, each time longer."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from msgspec import Struct

from kafka_workers.runtime.consuming.retry import Outcome


class CircuitBreakerLimits(Struct, frozen=True, kw_only=True):
    """When the circuit breaker opens: `run` dead letters in a row, or more than a `share` within `seconds`.

    The share counts once there are at least `least` dead letters. The breaker stays closed while the good
    messages of the same time outnumber the dead letters. Open, it tries up to `probe` messages after `pause`
    seconds; if half of them fail, it waits twice as long before the next try, at most `longest_pause`.
    """

    run: int
    share: float
    least: int
    seconds: float
    probe: int
    pause: float
    longest_pause: float

    @classmethod
    def from_settings(cls) -> "CircuitBreakerLimits":
        return cls(
            run=settings.BREAKER_RUN,
            share=settings.BREAKER_PERCENT / 100,
            least=4 * settings.BREAKER_RUN,
            seconds=settings.BREAKER_SECONDS,
            probe=settings.BREAKER_PROBE,
            pause=settings.BREAKER_PAUSE_SECONDS,
            longest_pause=settings.BREAKER_LONGEST_PAUSE_SECONDS,
        )

    def pause_number(self, number: int) -> float:
        """How many seconds the pause of this number lasts, counted from 1."""
        return min(self.longest_pause, self.pause * 2.0 ** min(number - 1, 32))


class Opening(Struct, frozen=True, kw_only=True):
    """What an open breaker knows: why and since when it is open, its present pause, and when that ends."""

    reason: str
    since: datetime
    pauses: int
    try_at: datetime


class CircuitBreaker:
    """Counts the outcomes of messages; `clock` gives seconds, `now` the time of day."""

    def __init__(
        self,
        limits: CircuitBreakerLimits,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.opening: Opening | None = None
        """None while the breaker is closed."""
        self._limits = limits
        self._clock = clock
        self._now = now
        self._try_at = 0.0
        self._pauses = 0
        self._closed_at = -limits.seconds
        self._batches: deque[tuple[float, int, int]] = deque()
        self._good = self._dead = self._in_a_row = 0
        self._tried: list[Outcome] = []

    @property
    def is_new(self) -> bool:
        """Whether it is closed and has seen no good message lately, so that it cannot judge yet."""
        return self.opening is None and self._good == 0

    @property
    def is_waiting(self) -> bool:
        """Whether no message may be handled now."""
        return self.opening is not None and self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """Until the next try."""
        return self._try_at - self._clock()

    def batch_size(self, size: int) -> int:
        """How many messages the next batch may have, where `size` would be handled by a closed breaker."""
        return min(size, self._limits.probe - len(self._tried)) if self.opening else size

    def admit(self, outcomes: Sequence[Outcome]) -> int:
        """How many of these messages may be finished, in their order; fewer than all if the breaker opens.

        Counts nothing yet.
        """
        last = None if self.opening else self._last_before_opening(outcomes)
        return len(outcomes) if last is None else last + 1

    def count(self, outcomes: Sequence[Outcome], latest_reason: str = "") -> None:
        """Count finished messages, and open or close; `latest_reason` is why the last of them failed."""
        if self.opening:
            self._judge(self.opening, outcomes, latest_reason)
            return
        opens = self._last_before_opening(outcomes) is not None
        self._add(outcomes)
        if opens:
            self._open(self._now(), self._reason(latest_reason))

    def restore(self, opening: Opening) -> None:
        """Go on with what a predecessor of this process knew."""
        pause = self._limits.pause_number(opening.pauses)
        left = min(pause, (opening.try_at - self._now()).total_seconds())
        self.opening, self._pauses = opening, opening.pauses
        self._try_at = self._clock() + left

    def settle(self) -> None:
        """No further message is waiting: close if most of those that were tried are good, however few."""
        if self.opening and self._tried.count(Outcome.HANDLED) > len(self._tried) / 2:
            self._close()

    def _judge(self, opening: Opening, outcomes: Sequence[Outcome], latest_reason: str) -> None:
        self._tried += outcomes
        good, tried, half = self._tried.count(Outcome.HANDLED), len(self._tried), self._limits.probe / 2
        if good > half:
            self._close()
        elif tried - good >= half:
            failed = f"tried again, {tried - good} of {tried} messages failed"
            self._open(opening.since, _with_latest(failed, latest_reason))

    def _close(self) -> None:
        self.opening = None
        self._closed_at = self._clock()
        self._batches.clear()
        self._tried.clear()
        self._good = self._dead = self._in_a_row = 0

    def _open(self, since: datetime, reason: str) -> None:
        was_closed_for_long = self.opening is None and (
            self._clock() - self._closed_at > self._limits.seconds
        )
        self._pauses = 1 if was_closed_for_long else self._pauses + 1
        pause = self._limits.pause_number(self._pauses)
        self._tried.clear()
        self._try_at = self._clock() + pause
        self.opening = Opening(
            reason=reason,
            since=since,
            pauses=self._pauses,
            try_at=self._now() + timedelta(seconds=pause),
        )

    def _reason(self, latest_reason: str) -> str:
        counted = (
            f"{self._dead} dead letters against {self._good} good messages in the last "
            f"{self._limits.seconds:.0f} s, {self._in_a_row} of them in a row"
        )
        return _with_latest(counted, latest_reason)

    def _add(self, outcomes: Sequence[Outcome]) -> None:
        good = outcomes.count(Outcome.HANDLED)
        dead = sum(outcome.is_dead for outcome in outcomes) if good < len(outcomes) else 0
        self._good += good
        self._dead += dead
        self._batches.append((self._clock(), good, dead))
        for outcome in outcomes if good < len(outcomes) else outcomes[:1]:
            self._in_a_row = _run_after(outcome, self._in_a_row)

    def _drop_old_batches(self) -> None:
        oldest = self._clock() - self._limits.seconds
        while self._batches and self._batches[0][0] < oldest:
            _, good, dead = self._batches.popleft()
            self._good -= good
            self._dead -= dead

    def _last_before_opening(self, outcomes: Sequence[Outcome]) -> int | None:
        """The index of the dead letter that opens the breaker; None if none does."""
        self._drop_old_batches()
        handled = outcomes.count(Outcome.HANDLED)
        if handled == len(outcomes):
            return None
        good, dead, run = self._good + handled, self._dead, self._in_a_row
        for index, outcome in enumerate(outcomes):
            run = _run_after(outcome, run)
            dead += outcome.is_dead
            if outcome.is_dead and self._must_open(good, dead, run):
                return index
        return None

    def _must_open(self, good: int, dead: int, run: int) -> bool:
        if good > dead:
            return False
        exceeds_share = dead >= self._limits.least and dead > self._limits.share * (dead + good)
        return exceeds_share or run >= self._limits.run


def _run_after(outcome: Outcome, run: int) -> int:
    """The dead letters in a row after this outcome. A retried message is neither good nor dead yet."""
    if outcome is Outcome.HANDLED:
        return 0
    return run + outcome.is_dead


def _with_latest(counted: str, latest_reason: str) -> str:
    return f"{counted}; the latest: {latest_reason}" if latest_reason else counted
