"""Series that exist before anything is counted.

Of one that begins with its first count, no increase is seen.
"""

from prometheus_client import Counter


def begin_at_0(metric: Counter, *values: str) -> None:
    """Make the series of these values of the metric's only label."""
    for value in values:
        metric.labels(value)
