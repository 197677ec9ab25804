"""Notes when orders become Processing, with a cheap query of the order log every 20 ms."""

import time
from collections.abc import Collection

import psycopg

from devtools.benchmarks.background import Background
from devtools.benchmarks.waiting import wait_until

_PAUSE_SECONDS = 0.02
_READ = """
SELECT tx::text, id, order_id::text, type FROM order_event
WHERE (tx, id) > (%s::xid8, %s) AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY order_event.tx, id LIMIT 5000
"""
_END = "SELECT tx::text, id FROM order_event ORDER BY order_event.tx DESC, id DESC LIMIT 1"


class ProcessingWatch(Background):
    """Notes when the change of status of each order became visible, to 20 ms; a context manager."""

    def __init__(self, database_url: str) -> None:
        super().__init__()
        self.processing_at: dict[str, float] = {}
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._position: tuple[str, int] = self._connection.execute(_END).fetchone() or ("0", 0)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._connection.close()

    def await_orders(self, orders: Collection[str], seconds: float = 10) -> None:
        """Waits until the log has shown all these orders as Processing. Raises MeasurementFailed."""
        wait_until(lambda: self.processing_at.keys() >= set(orders), "every order in the log", seconds)

    def run(self) -> None:
        """Reads the log until the watch ends."""
        while not self.stopped.wait(_PAUSE_SECONDS):
            rows = self._connection.execute(_READ, self._position).fetchall()
            now = time.monotonic()
            for tx, number, order_id, kind in rows:
                self._position = tx, number
                if kind == "order.status.changed":
                    self.processing_at.setdefault(order_id, now)
