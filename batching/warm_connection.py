"""A connection to PostgreSQL for what is done for many threads at once."""

from functools import cache

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def warm_connection(purpose: str) -> BaseDatabaseWrapper:
    """The connection of this process for this purpose, whichever thread it is that works, one at a time.

    Its server process keeps the prepared statements and is warm; with a connection a thread, all are cold.
    One that failed before, or is too old, is closed first; it opens again by itself.
    """
    own = _connection(purpose)
    own.close_if_unusable_or_obsolete()
    return own


@cache
def _connection(purpose: str) -> BaseDatabaseWrapper:
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    own.inc_thread_sharing()
    return own
