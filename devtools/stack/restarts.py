"""How a part is started again after it has ended by itself."""

import signal

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
# After a run of this length there is no pause: it is no crash that comes again at once.
_STABLE_SECONDS = 10.0


class RestartPause:
    """The pause before a restart, which grows while each run is short."""

    def __init__(self) -> None:
        self._next = _FIRST_PAUSE

    def after(self, seconds: float) -> float:
        """The pause after a run of so many seconds."""
        if seconds > _STABLE_SECONDS:
            self._next = _FIRST_PAUSE
            return 0.0
        pause = self._next
        self._next = min(2 * pause, _LONGEST_PAUSE)
        return pause


def describe_end(code: int) -> str:
    """How a process with this exit code ended, for a log line."""
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
