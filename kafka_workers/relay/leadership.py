"""Which relay is the active one: the one whose PostgreSQL session holds an advisory lock.

The relay does all its work in that session, so it can neither read on nor move the position once the lock is
gone: no other fence is needed. The server ends the session of a relay that is frozen or out of reach.
"""

from django.db import connection

READER = "outbox-relay"
"""The name of the relay among the readers of the orders' log."""

# The form with two numbers keeps clear of the locks on orders, which have one.
LOCK = (0x5B, 1)
SESSION = {
    # No wait for the disk: a crash that undoes a move of the position has a batch sent twice, no more.
    "synchronous_commit": "off",
    # More than a batch waits for the broker, and the pause after that.
    "idle_session_timeout": "12s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
}


def take_lead() -> bool:
    """Become the active relay, unless another one is. Raises django.db.OperationalError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)
        taken: bool = cursor.fetchone() == (True,)
        if taken:
            cursor.executemany("SELECT set_config(%s, %s, false)", list(SESSION.items()))
    return taken


def give_up_lead() -> None:
    """End the session, and with it the lock."""
    connection.close()
