"""Housekeeping, once a minute: what has expired is deleted, and the order log gets its next partitions.

The worker of hold expiry does it, because a worker of its own would be one more process with Django in it.
Any number of processes may run it at once.
"""

import threading
import time
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet

from foundation import metrics
from foundation.heartbeat import beat
from foundation.outage import DependencyUnavailable
from orders_app.event_log.partitions import add_due_partitions, seconds_ahead
from orders_app.services.delete_expired import delete_batch, expired

EVERY_SECONDS = 60.0
PAUSE_SECONDS = 0.05
"""Between two batches, for the work of others."""

log = structlog.get_logger(__name__)


class Housekeeping:
    """Keeps house when it is due."""

    def __init__(self) -> None:
        self._next = 0.0

    def do_due(self, stop: threading.Event) -> None:
        """Keep house if the last time is EVERY_SECONDS ago. Raises DependencyUnavailable."""
        if time.monotonic() >= self._next:
            keep_house(stop)
            self._next = time.monotonic() + EVERY_SECONDS


def keep_house(stop: threading.Event) -> dict[str, int]:
    """Delete what has expired, batch by batch, and add the partitions that are due.

    Returns how many rows were deleted, by what they were. Raises DependencyUnavailable.
    """
    _add_partitions()
    try:
        return {kind: _delete_all(kind, rows, stop) for kind, rows in expired().items()}
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error


def _add_partitions() -> None:
    """A partition that cannot be added now is added a minute later: the default one takes its orders."""
    try:
        for name in add_due_partitions():
            log.info("the order log has a new partition", partition=name)
        metrics.LOG_PARTITIONS_AHEAD_SECONDS.set(seconds_ahead())
    except OperationalError as error:
        log.warning("no partition of the order log was added, trying again", error=str(error))


def _delete_all(kind: str, rows: QuerySet[Any], stop: threading.Event) -> int:
    deleted = 0
    while not stop.is_set() and (number := delete_batch(rows)):
        beat()
        deleted += number
        metrics.EXPIRED_DELETED.labels(kind).inc(number)
        stop.wait(PAUSE_SECONDS)
    if deleted:
        log.info("expired rows deleted", kind=kind, rows=deleted)
    return deleted
