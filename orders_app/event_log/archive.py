"""The archive: partitions that have left the order log. Histories read it, the readers of the log do not."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from msgspec import Struct

from foundation.kill_points import kill_point
from orders_app.event_log.partitions import limit_waits_for_locks
from orders_app.event_log.position import START, Position
from orders_app.event_log.statements import rows_of, without_time_limit

_ENDED = """
SELECT name, coalesce(lower_bound, '00000000-0000-0000-0000-000000000000'), upper_bound,
    pg_size_pretty(pg_total_relation_size(name::regclass))
FROM order_event_partition
WHERE NOT is_archived AND order_id_time(upper_bound) <= %s ORDER BY upper_bound
"""
_LAST = "SELECT tx, id, created_at FROM {} ORDER BY tx DESC, id DESC LIMIT 1"
_BEHIND = "SELECT reader FROM reader_position WHERE (tx, event_id) < (%s::xid8, %s) ORDER BY reader"
_HAS_READER = "SELECT EXISTS (SELECT FROM reader_position)"
_IS_VALID = (
    "SELECT convalidated FROM pg_constraint WHERE conrelid = %s::regclass AND conname = 'order_event_bound'"
)
# The log itself first, as everybody locks it: the others are free then, unless vacuum has one of them.
_LOCKS = """
LOCK TABLE ONLY order_event IN ACCESS EXCLUSIVE MODE;
LOCK TABLE {}, order_event_default IN ACCESS EXCLUSIVE MODE NOWAIT;
LOCK TABLE ONLY order_event_archive IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
"""
_POSITION_INDEXES = """
SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid
WHERE indrelid = %s::regclass
AND inhparent IN ('order_event_position'::regclass, 'order_event_user_position'::regclass)
"""
_NOTE = "INSERT INTO order_event_archived (name, tx, event_id, archived_at) VALUES (%s, %s::xid8, %s, now())"
_ARCHIVED = "SELECT tx, event_id FROM order_event_archived ORDER BY tx DESC, event_id DESC LIMIT 1"


class Partition(Struct, frozen=True):
    """A partition of the log: the orders that it has are those with ids from `lower` to before `upper`."""

    name: str
    lower: UUID
    upper: UUID
    size: str

    @property
    def bounds(self) -> str:
        """The bounds as SQL; the first partition has no lower one."""
        lower = f"'{self.lower}'" if self.lower.int else "MINVALUE"
        return f"FROM ({lower}) TO ('{self.upper}')"


class LastEvent(Struct, frozen=True):
    """The last event of a partition."""

    position: Position
    created_at: datetime


class PartitionChanged(Exception):
    """The partition has another last event than the one that was checked."""


def ended_partitions(moment: datetime) -> list[Partition]:
    """The partitions of the log whose month had ended by this moment, the oldest first."""
    return [Partition(*row) for row in rows_of(_ENDED, [moment])]


def last_event(partition: Partition) -> LastEvent | None:
    """The last event of this partition by position; None where it has none."""
    rows = rows_of(_LAST.format(_quoted(partition.name)), [])
    return LastEvent(Position(int(rows[0][0]), rows[0][1]), rows[0][2]) if rows else None


def readers_behind(position: Position) -> list[str]:
    """The readers that have not finished the event at this position; `relay` where none has read at all."""
    if not rows_of(_HAS_READER, [])[0][0]:
        return ["relay"]
    return [reader for (reader,) in rows_of(_BEHIND, [str(position.tx), position.id])]


def archived_position() -> Position:
    """The position of the last event in the archive; the start where it is empty."""
    rows = rows_of(_ARCHIVED, [])
    return Position(int(rows[0][0]), rows[0][1]) if rows else START


def validate_bound(partition: Partition) -> None:
    """Let PostgreSQL know that the partition has only orders of its month, so that nothing reads it later.

    It knows already, unless an order of a clock ahead stood in the log when migration 0009 ran.
    """
    if rows_of(_IS_VALID, [partition.name]) == [(False,)]:
        with without_time_limit() as cursor:
            cursor.execute(f"ALTER TABLE {_quoted(partition.name)} VALIDATE CONSTRAINT order_event_bound")


def move_to_archive(partition: Partition, last: LastEvent | None) -> None:
    """Move this partition to the archive in one transaction.

    Orders wait while it has its locks, for some milliseconds, and before that for at most LOCK_SECONDS.
    Raises PartitionChanged where `last` is not the last event any more, and OperationalError where a lock
    was not free; then nothing has changed.
    """
    name = _quoted(partition.name)
    with transaction.atomic(), connection.cursor() as cursor:
        limit_waits_for_locks(cursor)
        for lock in _LOCKS.format(name).strip().splitlines():
            cursor.execute(lock)
        if last_event(partition) != last:
            raise PartitionChanged
        indexes = rows_of(_POSITION_INDEXES, [partition.name])
        cursor.execute(f"ALTER TABLE order_event DETACH PARTITION {name}")
        cursor.execute(
            f"ALTER TABLE order_event_archive ATTACH PARTITION {name} FOR VALUES {partition.bounds}"
        )
        for (index,) in indexes:
            cursor.execute(f"DROP INDEX {index}")
        position = last.position if last else START
        cursor.execute(_NOTE, [partition.name, str(position.tx), position.id])
        kill_point("before-archiving-committed")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
