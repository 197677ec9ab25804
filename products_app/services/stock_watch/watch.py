"""The stock watch: follows the changes of the catalogue and has each fall told.

Falls are stored before they are told, together with the position. Where a watch ends in between, its
successor tells these falls with the same ids. One process leads; the others wait.
"""

import os
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import structlog
from bson import Timestamp

from foundation.kill_points import kill_point
from foundation.slices import slices
from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.stock_watch import (
    LEASE_SECONDS,
    Fall,
    LeadLost,
    Position,
    Watched,
    give_up_lead,
    keep_lead,
    load_watched,
    record,
    record_told,
    take_lead,
)
from products_app.services.stock_watch.changes import (
    MOST_CHANGES,
    ChangeReader,
    HistoryLost,
    first_after,
    now_in_mongodb,
    products_at,
)
from products_app.services.stock_watch.levels import Change, apply

__all__ = ["Fall", "StockWatch", "Tell"]

STANDBY_SECONDS = 1.0
PAUSE_SECONDS = 0.2
"""After changes: those that come meanwhile are then read together."""
RENEW_SECONDS = LEASE_SECONDS / 4

log = structlog.get_logger(__name__)

Tell = Callable[[Sequence[Fall]], None]
"""Tells all of these falls; raises an exception where one may not have been told."""


class StockWatch:
    """Has falls told while it leads. After an exception it begins anew with what is stored."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._reader: ChangeReader | None = None
        self._watched: Watched = {}
        self._renew_at = 0.0

    def take_turn(self) -> float:
        """Follow the next changes, or try to become the leader; how many seconds to wait afterwards.

        Raises CatalogueUnavailable, and what `tell` raises; nothing is lost then.
        """
        try:
            with translating_mongodb_errors():
                return self._follow(self._reader) if self._reader else self._begin()
        except LeadLost:
            self._stop_reading()
            log.warning("another stock watch leads: this one was too slow")
            return STANDBY_SECONDS
        except Exception:
            self._stop_reading()
            raise

    def end(self) -> None:
        """Let another process lead at once. Raises CatalogueUnavailable."""
        with translating_mongodb_errors():
            self._stop_reading()
            give_up_lead(self._holder)

    def _begin(self) -> float:
        stored = take_lead(self._holder)
        if stored is None:
            return STANDBY_SECONDS
        self._watched = load_watched()
        self._renewed()
        if stored.unsent:
            self._deliver(stored.unsent)
        self._reader = self._read_from(stored.position)
        log.info("the stock watch leads", products=len(self._watched), unsent=len(stored.unsent))
        return 0.0

    def _follow(self, reader: ChangeReader) -> float:
        try:
            changes = reader.read()
        except HistoryLost as lost:
            reader.close()
            self._reader = ChangeReader(self._compare_all(lost))
            return 0.0
        if changes:
            kill_point("before-recording-falls")
        self._apply(changes, reader.position)
        return PAUSE_SECONDS if changes else 0.0

    def _read_from(self, position: Position | None) -> ChangeReader:
        if position is None:
            return ChangeReader(self._compare_all(None))
        try:
            return ChangeReader(position)
        except HistoryLost as lost:
            return ChangeReader(self._compare_all(lost))

    def _compare_all(self, lost: HistoryLost | None) -> Timestamp:
        """Look at every product once, all at the same time; where the changes continue afterwards."""
        if lost:
            log.warning("changes of the catalogue are lost: every product is looked at", reason=str(lost))
        at, now, gone = now_in_mongodb(), datetime.now(UTC), set(self._watched)
        for part in slices(products_at(at), MOST_CHANGES):
            gone.difference_update(change.product for change in part)
            # Without a position: a process that ends before all are compared leaves it to the next one.
            self._apply(part, None)
        for part in slices((Change(product, at, now, None) for product in gone), MOST_CHANGES):
            self._apply(part, None)
        position = first_after(at)
        keep_lead(self._holder, position)
        self._renewed()
        return position

    def _apply(self, changes: Sequence[Change], position: Position | None) -> None:
        outcome = apply(changes, self._watched)
        if outcome:
            record(self._holder, outcome.changed, outcome.falls, position)
            self._renewed()
            if outcome.falls:
                self._deliver(outcome.falls)
        elif time.monotonic() >= self._renew_at:
            keep_lead(self._holder, position)
            self._renewed()

    def _deliver(self, falls: Sequence[Fall]) -> None:
        """Tell falls that are stored, and store that they are told."""
        kill_point("after-recording-falls-before-sending")
        self._tell(falls)
        kill_point("after-sending-falls-before-record")
        record_told(self._holder)
        self._renewed()

    def _renewed(self) -> None:
        self._renew_at = time.monotonic() + RENEW_SECONDS

    def _stop_reading(self) -> None:
        if self._reader:
            self._reader.close()
        self._reader = None
