"""Whether a bell wakes its listener."""

import time

from foundation.doorbell import BellListener

LONG = 20.0
SHORT = 0.05


def is_woken(listener: BellListener, seconds: float = LONG) -> bool:
    """Whether it rang within so many seconds, or had rung before."""
    start = time.monotonic()
    listener.wait(seconds)
    return time.monotonic() - start < seconds
