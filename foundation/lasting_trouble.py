"""A trouble that lasts is one line in the log when it begins, and one when it is over."""

import time

from structlog.typing import FilteringBoundLogger


class LastingTrouble:
    """A trouble that a piece of code meets again and again; one for each thread, or for all of them.

    The second line says how long it lasted, and how many lines about it were held back.
    """

    def __init__(self, log: FilteringBoundLogger, *, begins: str, ends: str) -> None:
        self._log, self._begins, self._ends = log, begins, ends
        self._times = self._lines = 0
        self._began = 0.0

    def meet(self, *, is_new: bool = False, **facts: object) -> None:
        """Say that the trouble is there, unless that was said and it is not of a new kind."""
        if not self._times:
            self._began = time.monotonic()
        self._times += 1
        if is_new or not self._lines:
            self._lines += 1
            self._log.warning(self._begins, **facts)

    def end(self, **facts: object) -> None:
        """Say that it is over, if it was there; costs next to nothing otherwise."""
        if self._times:
            seconds = round(time.monotonic() - self._began, 1)
            self._log.info(self._ends, **facts, seconds=seconds, held_back=self._times - self._lines)
            self._times = self._lines = 0
