"""The thread that shares the counts of a machine with the others, over the database."""

import threading
import time
from multiprocessing.util import Finalize

from foundation.outage import DependencyUnavailable, Outage
from foundation.shared_connection import shared_connection
from web.rates.counts import RequestCounts
from web.rates.store import MAX_SWEPT, add_counts, sweep

RATES = "rates"
# The loss of the last moment before PostgreSQL crashes is no reason to wait for its disk.
OPTIONS = "-c synchronous_commit=off -c statement_timeout=2000"
SHARE_SECONDS = 0.5
PAUSE_SECONDS = 0.02
"""Between two rounds, however urgent the next one is."""
SWEEP_SECONDS = 60.0
END_SECONDS = 2.0
"""How long the end of the process waits until the last counts are shared."""


class Sharing:
    """Shares counts again and again, and deletes those in the database that no longer count."""

    def __init__(self, counts: RequestCounts) -> None:
        self._counts = counts
        self._outage = Outage()
        self._sweeps_at = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rates", daemon=True)

    def start(self) -> None:
        """Begin; what was counted last is shared when the process ends as it should."""
        self._thread.start()
        # Unlike atexit, this also runs in a process that another Python process has forked or spawned.
        Finalize(None, self.end, exitpriority=1)

    def end(self) -> None:
        """Share what was counted last, and end."""
        self._ending.set()
        self._counts.urgent.set()
        self._thread.join(END_SECONDS)

    def share(self) -> None:
        """Tell the database what was counted, and learn what other machines have counted."""
        with self._counts.table.telling():
            while untold := self._counts.take_untold():
                try:
                    told = add_counts(untold, shared_connection(RATES, OPTIONS))
                except BaseException:
                    self._counts.put_back(untold)
                    raise
                self._counts.learn(untold, told)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._ending.wait(self._share_or_fail())
            self._counts.urgent.wait(SHARE_SECONDS)
            self._counts.urgent.clear()
        self._share_or_fail()

    def _share_or_fail(self) -> float:
        """Share, and sweep where it is due; the seconds to pause. If it fails, this machine counts alone."""
        try:
            self.share()
            self._sweep_if_due()
        except Exception as error:  # whatever it is: the thread must go on
            return self._outage.record_failure(DependencyUnavailable("the counts of requests", repr(error)))
        self._outage.record_success()
        return PAUSE_SECONDS

    def _sweep_if_due(self) -> None:
        if time.monotonic() < self._sweeps_at:
            return
        while sweep(shared_connection(RATES, OPTIONS)) == MAX_SWEPT:
            pass
        self._sweeps_at = time.monotonic() + SWEEP_SECONDS
