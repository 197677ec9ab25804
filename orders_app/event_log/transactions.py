"""The server's transaction ids, of which positions in the order log are made.

A log that was dumped and restored into a new cluster has ids which that server has not reached: its events
would count as not readable yet, and new ones would come before them, where no reader looks any more.
"""

from collections.abc import Callable

from django.db import connection

from orders_app.event_log.position import last_position
from orders_app.event_log.statements import without_time_limit

AT_ONCE = 50_000
_NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
_USE_UP = """
DO $$ BEGIN
    FOR number IN 1..{} LOOP
        PERFORM pg_current_xact_id();
        COMMIT;
    END LOOP;
END $$
"""


class LogAheadOfServer(Exception):
    """The order log has transactions that this server has not reached."""

    def __init__(self, transactions: int) -> None:
        super().__init__(
            f"the order log is {transactions} transactions ahead of this server, as after a restore from "
            "pg_dump: run manage.py advance_transactions"
        )


def transactions_ahead() -> int:
    """By how many transactions the order log is ahead of the server; 0 where all is as it should be."""
    # Read first: an event that is appended meanwhile has a transaction that the server reaches meanwhile.
    last = last_position().tx
    with connection.cursor() as cursor:
        cursor.execute(_NEXT)
        following = int(cursor.fetchone()[0])
    return max(0, last - following + 1)


def require_log_behind_server() -> None:
    """Raises LogAheadOfServer."""
    if ahead := transactions_ahead():
        raise LogAheadOfServer(ahead)


def advance_transactions(progress: Callable[[int], None]) -> int:
    """Use up transaction ids until the server has passed the order log; how many were used.

    `progress` is called with how many are used so far.
    """
    used = 0
    with without_time_limit() as cursor:
        cursor.execute("SET synchronous_commit = off")
        while ahead := transactions_ahead():
            part = min(ahead, AT_ONCE)
            cursor.execute(_USE_UP.format(part))
            progress(used := used + part)
        cursor.execute("RESET synchronous_commit")
    return used
