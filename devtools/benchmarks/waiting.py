"""Waits, with a bound, for what a measurement needs."""

import time
from collections.abc import Callable

from devtools.benchmarks.figures import MeasurementFailed


def wait_until(holds: Callable[[], object], what: str, seconds: float = 30, *, pause: float = 0.005) -> float:
    """Waits until `holds` is true; returns the monotonic time. Raises MeasurementFailed after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise MeasurementFailed(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)
    return time.monotonic()
