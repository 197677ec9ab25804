"""Histograms that take the durations of a batch together."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from prometheus_client import Histogram


class BatchHistogram(Histogram):
    """A histogram of the client library with one more method."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Observe these amounts; each sum and bucket that they change is changed once."""
        self._raise_if_not_observable()  # type: ignore[no-untyped-call]
        self._sum.inc(sum(amounts))
        for bucket, number in Counter(bisect_left(self._upper_bounds, amount) for amount in amounts).items():
            self._buckets[bucket].inc(number)
