"""Threads that look again and again for what is due."""

import threading

_POLL_SECONDS = 0.05


class Clock(threading.Thread):
    """A thread that calls `do_what_is_due` every 50 ms until `stop`."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._ended = threading.Event()

    def stop(self) -> None:
        """Ends the thread, after the work under way."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Looks until `stop`."""
        while not self._ended.wait(_POLL_SECONDS):
            self.do_what_is_due()

    def do_what_is_due(self) -> None:
        """The work, which each clock has of its own."""
        raise NotImplementedError
