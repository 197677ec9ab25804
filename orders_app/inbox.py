"""The inbox of a consumer whose effect no state tells, as with mail: has this message had its effect?

`begin` is committed before the effect, `finish` together with the record of it; who needs few round trips
puts BEGIN and FINISH into statements of their own. A crash in between leaves it
open whether the effect has taken place, and it takes place once more; after a second such crash it is left to
people. Rows are deleted INBOX_DAYS after they were begun, when no topic can give the message again.
"""

import hashlib
from datetime import timedelta
from enum import Enum, auto

from django.db import connection
from django.db.models import F

from orders_app.models import InboxMessage

INBOX_DAYS = 60
INBOX_AGE = timedelta(days=INBOX_DAYS)
MOST_BEGUN = 2
"""How often an effect is begun without anybody's consent."""
_MAX_ID = 255

BEGIN = f"""
INSERT INTO inbox_message ("group", message_id, begun) VALUES (%(group)s, %(key)s, 1)
ON CONFLICT ("group", message_id) DO UPDATE
SET begun = CASE WHEN inbox_message.begun < {MOST_BEGUN} THEN inbox_message.begun + 1 ELSE 0 END,
    begun_at = now()
WHERE inbox_message.done_at IS NULL
RETURNING begun
"""  # noqa: S608 - a number of ours
"""Gives how often the effect has begun, 0 where that was too often, and no row where it is done."""
FINISH = """
INSERT INTO inbox_message ("group", message_id, begun, done_at) VALUES (%(group)s, %(key)s, 0, now())
ON CONFLICT ("group", message_id) DO UPDATE SET done_at = now()
"""


class Beginning(Enum):
    """What is known of a message's effect when it is to begin."""

    BEGUN = auto()
    """It has not been done, as far as we know: it must be done now."""
    DONE = auto()
    """It has been done."""
    UNSURE = auto()
    """It may have been done twice: two processes were killed over it. The next `begin` gives BEGUN again."""


def message_key(source: str, message_id: str) -> str:
    """What identifies a message among those of all sources, short enough for the table."""
    key = f"{source} {message_id}".strip()
    if len(key) <= _MAX_ID and key.isprintable():
        return key
    return f"sha256:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def begin(*, group: str, key: str) -> Beginning:
    """Note that the effect of this message begins now."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, {"group": group, "key": key})
        return beginning_of(cursor.fetchone())


def beginning_of(row: tuple[int] | None) -> Beginning:
    """What the row means that BEGIN has given."""
    if row is None:
        return Beginning.DONE
    return Beginning.BEGUN if row[0] else Beginning.UNSURE


def take_back(*, group: str, key: str) -> None:
    """Note that the effect which was begun last has certainly not taken place."""
    InboxMessage.objects.filter(group=group, message_id=key, begun__gt=0).update(begun=F("begun") - 1)


def finish(*, group: str, key: str) -> None:
    """Note that the effect has taken place, or must not; in the transaction that records it."""
    with connection.cursor() as cursor:
        cursor.execute(FINISH, {"group": group, "key": key})
