"""A sliding window: the requests of the current period and of the one before."""

from msgspec import Struct
from msgspec.structs import replace

from foundation.rates import Rate

CLOCKS_DIFFER = 1.0
"""How much earlier than another one a process may have read the clock, at most."""


class Window(Struct, frozen=True):
    """How many requests were let in; times are of the monotonic clock.

    `turns_at` is when the current period becomes the one before. That one counts with the part of it that is
    less than a period ago, as if its requests had come evenly.
    """

    seconds: int
    turns_at: float
    current: int = 0
    previous: int = 0

    @property
    def ends_at(self) -> float:
        """From when on none of its requests counts."""
        return self.turns_at + self.seconds

    def at(self, now: float) -> "Window":
        """The window at this time: turned, where the current period is over."""
        if now < self.turns_at < now + self.seconds + CLOCKS_DIFFER:
            return self
        if self.turns_at <= now < self.ends_at:
            return replace(self, turns_at=self.ends_at, current=0, previous=self.current)
        return Window(self.seconds, now + self.seconds)  # of long ago, or of before the machine was started

    def level(self, now: float) -> float:
        """How many requests count at this time, which is before the window turns."""
        return self.current + self.previous * (self.turns_at - now) / self.seconds

    def wait(self, rate: Rate, now: float) -> float:
        """The seconds until one more request is within the rate; 0 where it is now."""
        if self.level(now) < rate.limit:
            return 0.0
        if self.current < rate.limit:
            falls_at = self.turns_at - self.seconds * (rate.limit - self.current) / self.previous
        else:
            falls_at = self.ends_at - self.seconds * rate.limit / self.current
        return max(falls_at - now, 0.0) + 0.001  # then the level is below the limit
