"""The inbox of a consumer whose effect no state tells, as with mail: has this message had its effect?

BEGIN is committed before the effect, FINISH together with the record of it; as parts of the statements that
write this record they cost no round trips of their own. A crash in between leaves it open whether the effect
has taken place, and it takes place once more; after a second such crash it is left to people. Between the two
a process holds an advisory lock, which ends with it: another one that gets the message meanwhile, in a
rebalance, waits. Rows are deleted INBOX_DAYS after they were begun, when no topic can give the message again.
"""

import hashlib
from datetime import timedelta
from enum import Enum, auto

from django.db.backends.base.base import BaseDatabaseWrapper

INBOX_DAYS = 60
INBOX_AGE = timedelta(days=INBOX_DAYS)
MOST_BEGUN = 2
"""How often an effect is begun before it is left to people."""
PATIENCE_SECONDS = 150
"""How long a living process that has begun an effect is waited for; it may be frozen."""
_MAX_ID = 255

_LOCK = "hashtextextended(%(key)s::text, 0)"
BEGIN = f"""
INSERT INTO inbox_message ("group", message_id, begun)
SELECT %(group)s::text, %(key)s::text, 1
WHERE pg_try_advisory_lock({_LOCK}) OR EXISTS (
    SELECT FROM inbox_message
    WHERE "group" = %(group)s::text AND message_id = %(key)s::text
    AND begun_at < now() - interval '{PATIENCE_SECONDS} seconds'
)
ON CONFLICT ("group", message_id) DO UPDATE
SET begun = CASE WHEN inbox_message.begun < {MOST_BEGUN} THEN inbox_message.begun + 1 ELSE 0 END,
    begun_at = now()
WHERE inbox_message.done_at IS NULL
RETURNING begun
"""  # noqa: S608 - a number of ours
"""Notes that the effect begins now. Gives how often it has begun, 0 where that was too often; `beginning_of`
reads it. Where it has begun, other processes are kept from it until RELEASE."""
RELEASE = f"pg_advisory_unlock({_LOCK})"
"""Lets other processes begin: to be selected once the effect has ended, in whatever way."""
FINISH = """
INSERT INTO inbox_message ("group", message_id, begun, done_at)
VALUES (%(group)s::text, %(key)s::text, 0, now())
ON CONFLICT ("group", message_id) DO UPDATE SET done_at = now()
"""
"""Notes that the effect has taken place, or must not."""
IS_DONE = """
EXISTS (
    SELECT FROM inbox_message
    WHERE "group" = %(group)s::text AND message_id = %(key)s::text AND done_at IS NOT NULL
)
"""
"""Whether the effect has taken place, or must not."""
_TAKE_BACK = """
UPDATE inbox_message SET begun = begun - 1
WHERE "group" = %(group)s::text AND message_id = %(key)s::text AND begun > 0
"""


class Beginning(Enum):
    """What is known of a message's effect when it is to begin."""

    BEGUN = auto()
    """It has not been done, as far as we know: it must be done now."""
    DONE = auto()
    """It has been done."""
    BUSY = auto()
    """Another process has begun it, and is still at it: this one is to wait."""
    UNSURE = auto()
    """It may have been done twice: two processes were killed over it. The next BEGIN begins it again."""


def message_key(source: str, message_id: str) -> str:
    """What identifies a message among those of all sources, short enough for the table."""
    key = f"{source} {message_id}".strip()
    if len(key) <= _MAX_ID and key.isprintable():
        return key
    return f"sha256:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def beginning_of(database: BaseDatabaseWrapper, row: tuple[int] | None, *, group: str, key: str) -> Beginning:
    """What the row means that BEGIN has given for this message, on the same connection."""
    if row and row[0]:
        return Beginning.BEGUN
    if row is None and not _is_done(database, group, key):
        return Beginning.BUSY
    release(database, key=key)
    return Beginning.UNSURE if row else Beginning.DONE


def release(database: BaseDatabaseWrapper, *, key: str) -> None:
    """Let other processes begin the effect of this message; this one has ended it, or given it up.

    It must be the connection on which that was begun: PostgreSQL keeps the lock for it.
    """
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {RELEASE}", {"key": key})


def take_back(database: BaseDatabaseWrapper, *, group: str, key: str) -> None:
    """Note that the effect which was begun last has certainly not taken place."""
    with database.cursor() as cursor:
        cursor.execute(_TAKE_BACK, {"group": group, "key": key})


def _is_done(database: BaseDatabaseWrapper, group: str, key: str) -> bool:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {IS_DONE}", {"group": group, "key": key})
        [[is_done]] = cursor.fetchall()
    return bool(is_done)
