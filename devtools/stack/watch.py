"""Looks at the parts of a running stack every second: tells of frozen ones, and writes the state file."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from devtools.stack.state import PartState, is_frozen

_SECONDS = 1.0


class Watch:
    """`look` returns the parts as they are now, `write` is called after each look."""

    def __init__(
        self, look: Callable[[], Sequence[PartState]], write: Callable[[], None], log: logging.Logger
    ) -> None:
        self._look = look
        self._write = write
        self._log = log
        self._frozen: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begins to watch, and returns immediately."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_SECONDS):
            self._tell_of_frozen()
            with suppress(OSError):  # a full disk: the parts run on, and the next look tries again
                self._write()

    def _tell_of_frozen(self) -> None:
        frozen = {part.name: part.pid for part in self._look() if part.pid and is_frozen(part.pid)}
        for name in frozen.keys() - self._frozen.keys():
            self._log.warning("%s is frozen by a signal: kill -CONT %s lets it continue", name, frozen[name])
        for name in self._frozen.keys() - frozen.keys():
            self._log.info("%s is no longer frozen", name)
        self._frozen = frozen
