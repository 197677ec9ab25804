"""Notices that a web process answers nobody any more, and ends it, so that another takes its place."""

import asyncio
import os
import threading
import time

import structlog

from web.server.exchanges import Exchanges
from web.server.work_threads import WorkThreads

EXIT_CODE = 70

log = structlog.get_logger(__name__)


class Watchdog:
    """Counts seconds in which nothing moves; a clock would count those in which the process is frozen too."""

    def __init__(
        self, threads: WorkThreads, exchanges: Exchanges, loop: asyncio.AbstractEventLoop, seconds: int
    ) -> None:
        self._threads, self._exchanges, self._loop, self._seconds = threads, exchanges, loop, seconds
        self._parent = os.getppid()
        self._beats = 0

    def start(self) -> None:
        """Watch, in a thread of its own."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        stuck = unanswered = silent = finished = answered = beats = 0
        while True:
            try:
                self._loop.call_soon_threadsafe(self._beat)
            except RuntimeError:  # the loop is closed: the process is ending
                return
            time.sleep(1)
            stuck = stuck + 1 if self._threads.are_all_at_work and self._threads.finished == finished else 0
            unanswered = unanswered + 1 if self._exchanges.open and self._exchanges.ended == answered else 0
            silent = silent + 1 if self._beats == beats else 0
            finished, answered, beats = self._threads.finished, self._exchanges.ended, self._beats
            if stuck >= self._seconds:
                self._end("all threads are stuck", self._threads.count)
            if unanswered >= self._seconds:
                self._end("no request is answered that waits for a batch", 1)
            if silent >= self._seconds:
                self._end("the event loop is stuck", 1)
            if os.getppid() != self._parent:  # killed: another server would not get the port
                os._exit(EXIT_CODE)

    def _beat(self) -> None:
        self._beats += 1

    def _end(self, reason: str, threads: int) -> None:
        log.error("web process ends to be replaced", reason=reason, threads=threads, seconds=self._seconds)
        os._exit(EXIT_CODE)
