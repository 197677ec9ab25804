"""Which relay is the leader: the one whose PostgreSQL session holds an advisory lock.

The leader does all its work in that session. Without the lock it can neither read the log nor store its
position, so no other fencing is needed. The server ends the session of a relay that is frozen or unreachable.
"""

from django.db import connection

from foundation.advisory_lock import Lock, take_lock

SESSION = {
    # No wait for the disk: if a crash undoes a stored position, a batch is sent twice, no more.
    "synchronous_commit": "off",
    # Longer than a batch waits for the broker, and the pause after that.
    "idle_session_timeout": "12s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
}


def acquire_leadership() -> bool:
    """Become the leader, unless another relay is. Raises django.db.OperationalError."""
    if not take_lock(Lock.RELAY):
        return False
    with connection.cursor() as cursor:
        cursor.executemany("SELECT set_config(%s, %s, false)", list(SESSION.items()))
    return True


def release_leadership() -> None:
    """End the session, and with it the lock."""
    connection.close()
