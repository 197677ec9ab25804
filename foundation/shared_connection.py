"""A connection to PostgreSQL for what is done for many threads at once."""

import select
import time
from functools import cache

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

BELIEVED_SECONDS = 1.0
"""So long after its last use, a connection is not asked whether it still holds: that is a round trip."""


def warm_connection(purpose: str) -> BaseDatabaseWrapper:
    """The connection of this process for this purpose, whichever thread it is that works, one at a time.

    Its server process keeps the prepared statements and is warm; with a connection a thread, all are cold.
    One that failed before, was ended by the server, or is too old, is closed first; it opens again by itself.
    """
    kept = _kept(purpose)
    kept.database.close_if_unusable_or_obsolete()
    now = time.monotonic()
    is_believed = now - kept.last_used < BELIEVED_SECONDS and not _has_news(kept.database)
    kept.database.health_check_done |= is_believed  # type: ignore[attr-defined]
    kept.last_used = now
    return kept.database


class _Kept:
    def __init__(self) -> None:
        self.database = connections.create_connection(DEFAULT_DB_ALIAS)
        self.database.inc_thread_sharing()
        self.last_used = 0.0


@cache
def _kept(_purpose: str) -> _Kept:
    return _Kept()


def _has_news(database: BaseDatabaseWrapper) -> bool:
    """Whether the server has said something that nobody asked for, such as that it ends."""
    if database.connection is None:
        return False
    poll = select.poll()
    poll.register(database.connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
