"""Wake-ups: writers of the order log notify its readers, through PostgreSQL, that something was committed.

A wake-up only saves waiting. Readers poll too, and find events whose wake-up was lost (the writer died
between COMMIT and NOTIFY, or a connection pooler dropped the LISTEN) or came before the events could be read
(an older transaction was still open). They poll soon after a wake-up, so a busy writer sends few.
"""

import time

import psycopg
import structlog
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg.pq import ExecStatus

CHANNEL = "order_log"
NOTIFY = f"NOTIFY {CHANNEL}".encode()
NOTIFY_SECONDS = 0.005
"""Shortest time between two wake-ups of a process; readers just woken find other events by polling."""
FIRST_POLL_SECONDS = 0.005
POLL_FACTOR = 4
LONGEST_POLL_SECONDS = 0.25

log = structlog.get_logger(__name__)


class _LastNotify:
    """When this process sent its last wake-up; threads that race for the next one may send two."""

    at = 0.0


def notify_readers(database: BaseDatabaseWrapper) -> None:
    """Wake the readers, unless they were just woken; `database` is the connection of the writer.

    Call it after the COMMIT of the events: NOTIFY inside their transaction would let one such transaction
    commit at a time, and each waits for the disk. Raises nothing: the events are committed.
    """
    if not _is_due():
        return
    now = time.monotonic()
    try:
        # Sent by libpq itself: the writer waits for this round trip, and a cursor would take twice as long.
        result = database.connection.pgconn.exec_(NOTIFY)
    except psycopg.Error as error:
        _report_failure(database, str(error))
    else:
        if result.status == ExecStatus.COMMAND_OK:
            _LastNotify.at = now
        else:
            _report_failure(database, result.get_error_message())


def notify_in_same_trip(cursor: CursorWrapper) -> None:
    """Wake the readers by a statement behind the COMMIT, in the same round trip, unless they were just woken.

    Its failure is one of that round trip: for writers that may repeat what is committed.
    """
    if _is_due():
        cursor.execute(NOTIFY.decode())
        _LastNotify.at = time.monotonic()


def _is_due() -> bool:
    return time.monotonic() - _LastNotify.at >= NOTIFY_SECONDS


def _report_failure(database: BaseDatabaseWrapper, reason: str) -> None:
    # Django has not seen the error: it has to check the connection before it uses it again.
    database.errors_occurred = True
    log.warning("readers of the order log are not notified", error=reason)


class WakeUpListener:
    """Where one reader waits for events, on the database connection of its thread."""

    def __init__(self) -> None:
        self._listening: object = None
        self._poll_seconds = FIRST_POLL_SECONDS

    def wait(self, *, after_events: bool) -> None:
        """Return when the reader should read on: at a wake-up, or when it is time to poll.

        `after_events` says whether the last read found any. Polls follow soon after events and wake-ups, and
        at growing intervals while nothing happens. Raises the errors of the database.
        """
        connection.ensure_connection()
        if connection.connection is not self._listening:
            # No wait now: events that were committed before LISTEN have had their wake-up.
            self._listen()
            return
        if after_events:
            self._poll_seconds = FIRST_POLL_SECONDS
        if self._is_woken():
            self._poll_seconds = FIRST_POLL_SECONDS
        else:
            self._poll_seconds = min(POLL_FACTOR * self._poll_seconds, LONGEST_POLL_SECONDS)

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._listening = connection.connection

    def _is_woken(self) -> bool:
        with connection.wrap_database_errors:
            wake_ups = connection.connection.notifies(timeout=self._poll_seconds, stop_after=1)
            return bool(list(wake_ups))
