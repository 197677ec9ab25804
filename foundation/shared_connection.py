"""A connection to PostgreSQL that the threads of a process share: one at a time uses it."""

import select
import time
from functools import cache

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

TRUSTED_SECONDS = 1.0
"""For how long after its last use a connection is not checked: a check is a round trip."""
KEPT_PLANS = " ".join(
    f"-c {setting}"
    for setting in (
        "plan_cache_mode=force_generic_plan",
        # One way is left to find a row: by an index. So the plan is the same for a table of any size.
        "enable_seqscan=off",
        "enable_bitmapscan=off",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
        # It would be worth it for long statements only.
        "jit=off",
    )
)
"""Makes PostgreSQL plan each statement once in a session, and each check of a foreign key (ADR 25)."""


def shared_connection(purpose: str, options: str = "") -> BaseDatabaseWrapper:
    """The connection of this process for this purpose; `options` are those of the server for its session.

    Its server process keeps the prepared statements, their plans and warm caches; with one connection a
    thread, all would be cold. It is for statements that find few rows, by an index: their plans are made
    without regard to the sizes of tables. A connection that has failed, that the server has ended, or that is
    too old is closed first; it opens again at its next use. Only one thread at a time may call this and use
    the connection.
    """
    shared = _shared(purpose, options)
    database = shared.database
    database.close_if_unusable_or_obsolete()
    idle_seconds = time.monotonic() - shared.last_used
    must_check = idle_seconds >= TRUSTED_SECONDS or has_unread_bytes(database)
    if database.connection is not None and must_check and not database.is_usable():
        database.close()
    shared.last_used = time.monotonic()
    return database


def has_unread_bytes(database: BaseDatabaseWrapper) -> bool:
    """Whether the server has sent something outside a statement, such as that it ends the session."""
    if database.connection is None:
        return False
    poll = select.poll()
    poll.register(database.connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class _Shared:
    def __init__(self, of_session: str) -> None:
        self.database: BaseDatabaseWrapper = connection.copy()
        # Django checks at each request; a shared connection is checked by the rule above.
        self.database.settings_dict["CONN_HEALTH_CHECKS"] = False
        options = self.database.settings_dict["OPTIONS"]
        options["options"] = f"{options.get('options', '')} {KEPT_PLANS} {of_session}"
        self.database.inc_thread_sharing()
        self.last_used = 0.0


@cache
def _shared(_purpose: str, options: str) -> _Shared:
    return _Shared(options)
