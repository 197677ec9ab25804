"""Notes when the stock of orders is taken."""

import time

from pymongo.collection import Collection

from devtools.benchmarks.background import Background
from devtools.benchmarks.system import Document


class LedgerWatch(Background):
    """Notes when orders have a ledger entry, from a change stream of MongoDB.

    The entry is written together with the stock. Polling would take CPU from the servers that are measured.
    """

    def __init__(self, ledger: Collection[Document]) -> None:
        super().__init__()
        self.reached: dict[str, float] = {}
        self._stream = ledger.watch([{"$project": {"documentKey": 1}}], max_await_time_ms=100)

    def run(self) -> None:
        """Reads the change stream until the watch ends."""
        with self._stream:
            while not self.stopped.is_set():
                if change := self._stream.try_next():
                    self.reached[change["documentKey"]["_id"]] = time.monotonic()
