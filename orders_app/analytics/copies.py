"""The two copies of the read models: which is in use, and which are to be written.

While figures are made anew, the session that does so holds the advisory lock REBUILD. A writer holds it
shared until its transaction ends; one that does not get it knows that a rebuild runs, and writes both copies.
So nothing that is written after the rebuild began is missing in the copy that it fills. The lock ends with
the session, however that ends.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from foundation.advisory_lock import Lock, take_lock
from foundation.kill_points import kill_point

Copy = Literal["a", "b"]

COPIES: tuple[Copy, Copy] = ("a", "b")
SWITCH_SECONDS = 60.0
LOCK_MILLISECONDS = 200
"""For how long queries may wait because the switch waits for a query that runs."""

_IS_IN_USE = "SELECT pg_get_viewdef('analytics_order'::regclass) LIKE %s"
_TABLES = "analytics_order_{copy}, analytics_line_{copy}"
_SWITCH = """
CREATE OR REPLACE VIEW analytics_order AS SELECT * FROM analytics_order_{copy};
CREATE OR REPLACE VIEW analytics_line AS SELECT * FROM analytics_line_{copy};
"""


class RebuildUnderWay(Exception):
    """Another process is making the figures anew."""


def copies_to_write() -> tuple[Copy, ...]:
    """The copies that a writer writes; call it first in its transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s, %s)", Lock.REBUILD.value)
        (is_alone,) = cursor.fetchone()
    return (copy_in_use(),) if is_alone else COPIES


def copy_in_use() -> Copy:
    """The copy that the views show."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_IN_USE, ["%analytics_order_b%"])
        (is_b,) = cursor.fetchone()
    return "b" if is_b else "a"


@contextmanager
def rebuilding() -> Iterator[Copy]:
    """Empty the copy that is not in use, and have all writers write it too until the block ends.

    Raises RebuildUnderWay. The block must stay on this connection.
    """
    try:
        _begin_rebuild()
        copy = other_copy(copy_in_use())
        with connection.cursor() as cursor:
            # Waits for queries that have read this copy since it was in use.
            cursor.execute(f"TRUNCATE {_TABLES.format(copy=copy)}")
        yield copy
    finally:
        # Ends the session, and with it both locks, whatever has happened to it.
        connection.close()


def _begin_rebuild() -> None:
    if not take_lock(Lock.ONE_REBUILD):
        raise RebuildUnderWay
    with connection.cursor() as cursor:
        # Waits for the transactions of writers that do not know of the rebuild yet.
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", Lock.REBUILD.value)


def other_copy(copy: Copy) -> Copy:
    """The copy that is not this one."""
    return "a" if copy == "b" else "b"


def empty_if_free(copy: Copy) -> None:
    """Empty this copy; while a query uses it, it stays as it is until the next rebuild."""
    with suppress(OperationalError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
        cursor.execute(f"TRUNCATE {_TABLES.format(copy=copy)}")


def switch_to(copy: Copy) -> None:
    """Have the views show this copy from now on. Raises OperationalError after SWITCH_SECONDS."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {_TABLES.format(copy=copy)}")
    end = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            return _try_to_switch(copy)
        except OperationalError as error:
            # After any other error the session may be another one, without the lock.
            if not isinstance(error.__cause__, LockNotAvailable) or time.monotonic() > end:
                raise
            time.sleep(LOCK_MILLISECONDS / 1000)


def _try_to_switch(copy: Copy) -> None:
    """Switch. Raises OperationalError where a query holds a view for longer than others may wait."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
        cursor.execute(_SWITCH.format(copy=copy))
        kill_point("before-switch-committed")
