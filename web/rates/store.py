"""What all machines have counted, in PostgreSQL; its clock is the one that counts."""

import time
from collections.abc import Mapping
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from foundation.rates import Rate
from web.rates.counts import Told, Untold
from web.rates.window import Window

MAX_SWEPT = 10_000
SHORTEST_WAIT = 0.001

# The rules of `Window.at`: which of the periods of a row is now, where either is. A row whose periods are
# both in the future is of a clock that was set back since, and begins anew.
NOW_IS_CURRENT = """
(statement_timestamp() < kept.turns_at
    AND kept.turns_at - statement_timestamp() < kept.ends_at - kept.turns_at + interval '1 second')
"""
NOW_IS_NEXT = "(kept.turns_at <= statement_timestamp() AND statement_timestamp() < kept.ends_at)"
# Rows are written in the order of their ids, so that two machines never wait for each other in turn.
ADD = f"""
INSERT INTO request_count AS kept (id, current, previous, turns_at, ends_at)
SELECT id, number, 0, statement_timestamp() + make_interval(secs => remaining),
    statement_timestamp() + make_interval(secs => remaining + seconds)
FROM unnest(%s::uuid[], %s::bigint[], %s::float8[], %s::float8[]) AS new (id, number, remaining, seconds)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    current = excluded.current + CASE WHEN {NOW_IS_CURRENT} THEN kept.current ELSE 0 END,
    previous = CASE
        WHEN {NOW_IS_CURRENT} THEN kept.previous
        WHEN {NOW_IS_NEXT} THEN kept.current ELSE 0 END,
    turns_at = CASE
        WHEN {NOW_IS_CURRENT} THEN kept.turns_at
        WHEN {NOW_IS_NEXT} THEN kept.ends_at ELSE excluded.turns_at END,
    ends_at = CASE
        WHEN {NOW_IS_CURRENT} THEN kept.ends_at
        WHEN {NOW_IS_NEXT} THEN kept.ends_at + (kept.ends_at - kept.turns_at)
        ELSE excluded.ends_at END
"""  # noqa: S608
# As `Window.level` of the window at this time.
LEVEL = f"""
CASE
    WHEN {NOW_IS_CURRENT} THEN kept.current + kept.previous
        * extract(epoch FROM kept.turns_at - statement_timestamp())
        / extract(epoch FROM kept.ends_at - kept.turns_at)
    WHEN {NOW_IS_NEXT} THEN kept.current
        * extract(epoch FROM kept.ends_at - statement_timestamp())
        / extract(epoch FROM kept.ends_at - kept.turns_at)
    ELSE 0
END
"""
TOLD = """
kept.id, kept.current, kept.previous, extract(epoch FROM kept.turns_at - statement_timestamp())::float8
"""
# Only constants are put into these.
ADD_AND_TELL = f"{ADD} RETURNING {TOLD}"
ADD_WITHIN = f"{ADD} WHERE {LEVEL} < %s RETURNING id"
FIND = f"SELECT {TOLD} FROM request_count AS kept WHERE id = %s"  # noqa: S608
SWEEP = """
DELETE FROM request_count WHERE id IN (
    SELECT id FROM request_count WHERE ends_at < statement_timestamp() LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


def add_counts(untold: Mapping[UUID, Untold], database: BaseDatabaseWrapper) -> list[Told]:
    """Add what this machine has counted; returns what all have."""
    counts = untold.values()
    numbers, left = [each.number for each in counts], [each.left for each in counts]
    with database.cursor() as cursor:
        cursor.execute(ADD_AND_TELL, [list(untold), numbers, left, [each.seconds for each in counts]])
        return [Told(*row) for row in cursor.fetchall()]


def admit_at_once(key: UUID, rate: Rate, database: BaseDatabaseWrapper) -> float:
    """Count a request in the database: 0 if it is let in, else the seconds after which one will be."""
    with database.cursor() as cursor:
        cursor.execute(ADD_WITHIN, [[key], [1], [rate.seconds], [rate.seconds], rate.limit])
        if cursor.fetchone():
            return 0.0
        cursor.execute(FIND, [key])
        row = cursor.fetchone()
        # Never 0, although the wait may be over by now: this request was not counted.
        return max(SHORTEST_WAIT, _wait(Told(*row), rate)) if row else SHORTEST_WAIT


def sweep(database: BaseDatabaseWrapper) -> int:
    """Delete rows that no longer count; returns how many, at most MAX_SWEPT."""
    with database.cursor() as cursor:
        cursor.execute(SWEEP, [MAX_SWEPT])
        return int(cursor.rowcount)


def _wait(told: Told, rate: Rate) -> float:
    now = time.monotonic()
    return Window(rate.seconds, now + told.left, told.current, told.previous).at(now).wait(rate, now)
