"""Pauses between batches: under load they make batches larger instead of more numerous.

The cost of a batch hardly depends on its size, so many small batches cost most. The pause grows with the size
of the last batch: with little traffic there is almost no pause, with much traffic the next batch is larger.
"""

from msgspec import Struct


class Pacing(Struct, frozen=True):
    """A pause of `seconds_per_item` for each item of the last batch, at most `max_seconds`."""

    seconds_per_item: float
    max_seconds: float

    def pause_after(self, size: int) -> float:
        """The pause in seconds after a batch of this size."""
        return min(size * self.seconds_per_item, self.max_seconds)


WORKER_PACING = Pacing(0.002, 0.060)
"""For the relay, and for consumers by default: under load at most sixteen batches a second."""

GROUP_COMMIT_PACING = Pacing(0.001, 0.010)
"""For group commit: threads that were just answered are likely to send their next request soon."""
