"""Emptying the database after a test that commits.

Django truncates every table, and makes content types, permissions and groups anew. That takes longer than
most tests. Here only the tables that have rows are emptied, and what `migrate` makes stays, unless the test
has changed it. Sequences go on, as with Django.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.db import connection
from django.test import TransactionTestCase

_MADE_BY_MIGRATE = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
_DIGEST = "SELECT md5(string_agg(line, ';' ORDER BY line)) FROM ({}) AS lines".format(
    " UNION ALL ".join(f"SELECT each::text AS line FROM {table} AS each" for table in _MADE_BY_MIGRATE)
)
_EMPTY = """
DO $$
DECLARE
    tables text[] := '{%s}';
    name text;
    is_filled boolean;
BEGIN
    -- Waits for open transactions that have written.
    EXECUTE format('LOCK TABLE %%s IN SHARE ROW EXCLUSIVE MODE', array_to_string(tables, ', '));
    -- Without triggers: they keep the order log from being deleted, and check foreign keys.
    SET LOCAL session_replication_role = replica;
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', name) INTO is_filled;
        IF is_filled THEN
            EXECUTE format('DELETE FROM %%I', name);
        END IF;
    END LOOP;
END $$
"""


@contextmanager
def quick_emptying() -> Iterator[None]:
    """Within it, tests with `django_db(transaction=True)` empty the database this way."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    statement = _EMPTY % ",".join(sorted(tables - {*_MADE_BY_MIGRATE}))
    empty_wholly = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # it has no types
    made = _digest()

    def empty(case: TransactionTestCase) -> None:
        nonlocal made
        if _digest() != made:
            empty_wholly(case)
            made = _digest()
            return
        with connection.cursor() as cursor:
            cursor.execute(statement)

    with patch.object(TransactionTestCase, "_fixture_teardown", empty):
        yield


def _digest() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST)
        [[digest]] = cursor.fetchall()
    return str(digest)
