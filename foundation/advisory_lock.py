"""Advisory locks of PostgreSQL that a session holds: of all processes, one at a time."""

from enum import Enum

from django.db import connection


class Lock(Enum):
    """The locks. Having two numbers, they never collide with the locks on orders, which have one."""

    RELAY = (0x5B, 1)
    STOCK_REPAIR = (0x5B, 2)
    PAYMENT_REPAIR = (0x5B, 3)
    PAYMENT_LOOK_UP = (0x5B, 4)
    REBUILD = (0x5B, 5)
    """A rebuild of the figures, for all who write figures meanwhile (`orders_app/analytics/copies.py`)."""
    ONE_REBUILD = (0x5B, 6)
    """The same for other rebuilds."""
    STOCK_LOOK = (0x5B, 7)


def take_lock(lock: Lock) -> bool:
    """Take the lock until the connection ends, or until `release_lock`; False where another session has it.

    Raises the errors of the database.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", lock.value)
        return bool(cursor.fetchone() == (True,))


def release_lock(lock: Lock) -> None:
    """Let another session take the lock. Raises the errors of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", lock.value)
