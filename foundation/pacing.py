"""How long to wait for company before the next batch.

What a batch costs hardly depends on its size, so many small ones are the dearest way to work. The wait grows
with what the last batch held: where little comes, nobody waits; where much comes, the batches grow instead of
their number.
"""

from msgspec import Struct


class Pacing(Struct, frozen=True):
    """So many seconds for each thing in the last batch, and so many at most."""

    seconds_each: float
    most_seconds: float

    def pause_after(self, size: int) -> float:
        """Seconds to wait after a batch of this size."""
        return min(size * self.seconds_each, self.most_seconds)


STAGE = Pacing(0.002, 0.060)
"""Between two batches of a worker, which runs all the time: under load not above sixteen batches a second."""

CALLERS = Pacing(0.001, 0.010)
"""Between two batches of threads that wait for their answer: those just answered are likely to ask again."""
