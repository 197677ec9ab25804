"""Advisory locks of PostgreSQL that a session holds: of all processes, one at a time."""

from django.db import connection

LockKey = tuple[int, int]
"""Locks of two numbers never collide with the locks on orders, which have one."""


def take_lock(key: LockKey) -> bool:
    """Take the lock until the connection ends, or until `release_lock`; False where another session has it.

    Raises the errors of the database.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        return bool(cursor.fetchone() == (True,))


def release_lock(key: LockKey) -> None:
    """Let another session take the lock. Raises the errors of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
