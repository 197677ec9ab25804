"""How far the order log can be read, and what holds its readers back.

An event can be read when no transaction that is still open may append one before it. The database's function
`order_log_horizon` gives the oldest such transaction, leaving out those of other databases of the cluster.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from msgspec import Struct

# In a subquery, so that it is called once and not while the statement is planned.
HORIZON = "(SELECT order_log_horizon(pg_current_snapshot()))"

_UNREADABLE_AGE = f"""
SELECT extract(epoch FROM now() - created_at)::float8 FROM order_event
WHERE tx >= {HORIZON} ORDER BY tx, id LIMIT 1
"""  # noqa: S608 - only the function is put in
_OPEN = f"""
SELECT pid, '', coalesce(application_name, ''), coalesce(usename, '')
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'transactionid' AND granted AND datname = current_database()
AND transactionid = {HORIZON}::xid
UNION ALL
SELECT NULL, gid, '', owner FROM pg_prepared_xacts
WHERE database = current_database() AND transaction = {HORIZON}::xid
"""  # noqa: S608 - only the function is put in


class HeldBack(Struct, frozen=True):
    """Events that no reader can read yet: since how many seconds, and the transaction that is open."""

    seconds: float
    transaction: str


def held_back() -> HeldBack | None:
    """What holds the readers of the log back; None where nothing waits."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREADABLE_AGE)
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(_OPEN)
        found = cursor.fetchone()
    return HeldBack(row[0], _describe(found) if found else "a transaction that has just ended")


def _describe(found: Sequence[Any]) -> str:
    pid, gid, application, user = found
    if pid is None:
        return f"the prepared transaction {gid!r} of {user} (ROLLBACK PREPARED or COMMIT PREPARED ends it)"
    return (
        f"an open transaction in this database: process {pid}, user {user}, application "
        f"{application!r} (pg_terminate_backend({pid}) ends it)"
    )
