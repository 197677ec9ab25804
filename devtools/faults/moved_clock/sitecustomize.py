"""Moves the clock of a process that is started with this folder on PYTHONPATH, one second after the start.

Only the time of day that Python reads changes; timers and the clocks of other processes do not.
"""

import os
import threading
import time

import time_machine

_SECONDS = float(os.environ["MOVE_CLOCK_SECONDS"])


def _jump() -> None:
    time_machine.travel(time.time() + _SECONDS, tick=True).start()


_timer = threading.Timer(1.0, _jump)
_timer.daemon = True
_timer.start()
