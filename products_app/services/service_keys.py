"""Service keys by their text; threads that ask at the same time share one statement."""

import re
from collections.abc import Sequence

from foundation.group_commit import GroupCommit
from foundation.shared_connection import shared_connection
from products_app.models import ServiceKey

MAX_BATCH = 100
KEYS = "service keys"
PREFIX = re.compile(r"[A-Za-z0-9]{1,8}(?=\.)")
FIND = """
SELECT prefix, hashed_key, expiry_date, may_reserve, may_release, first_prefix FROM service_key
WHERE prefix = ANY(%s) AND NOT revoked
"""


def find_key(text: str) -> ServiceKey:
    """The key, as it is now; it may have expired. Raises ServiceKey.DoesNotExist, for a revoked one too."""
    return _group_commit.call(text)


def find_keys(texts: Sequence[str]) -> list[ServiceKey | Exception]:
    """The keys of these texts, each with its rights alone, or ServiceKey.DoesNotExist in its place."""
    prefixes = {found[0] for text in texts if (found := PREFIX.match(text))}
    keys = _read(prefixes) if prefixes else {}
    return [_proved(keys.get(text.partition(".")[0]), text) for text in texts]


_group_commit = GroupCommit(find_keys, limit=MAX_BATCH)


def _read(prefixes: set[str]) -> dict[str, ServiceKey]:
    with shared_connection(KEYS).cursor() as cursor:
        cursor.execute(FIND, [list(prefixes)])
        names = [column.name for column in cursor.description]
        return {row[0]: ServiceKey(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()}


def _proved(key: ServiceKey | None, text: str) -> ServiceKey | Exception:
    return key if key is not None and key.is_valid(text) else ServiceKey.DoesNotExist()
