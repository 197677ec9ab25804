"""`manage.py migrate`: Django's own, which makes nobody wait for long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors

LOCK_SECONDS = 2
"""A statement that waits for a lock makes all others wait that come after it: so long at most."""
TRIES = 10
PAUSE_SECONDS = 2.0
LIMITS = ("lock_timeout", "transaction_timeout")
"""The settings of PostgreSQL by which a statement, or a transaction, ends early."""

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


class Command(migrate.Command):
    """Applies migrations while the system runs."""

    help = (
        f"{migrate.Command.help} A statement waits for a lock for {LOCK_SECONDS} seconds at most, and the "
        f"migration is tried {TRIES} times: so orders that come meanwhile do not wait for it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. Raises CommandError where others keep a lock for longer than all tries."""
        with _short_waits(connections[options["database"]]):
            for tries_left in reversed(range(TRIES)):
                try:
                    super().handle(*args, **options)
                except OperationalError as error:
                    self._require_another_try(error, tries_left)
                    sleep(PAUSE_SECONDS)
                else:
                    return

    def _require_another_try(self, error: OperationalError, tries_left: int) -> None:
        if not isinstance(error.__cause__, errors.LockNotAvailable):
            raise error
        if not tries_left:
            raise CommandError(
                "Others hold a lock for too long. This migration has changed nothing: end their transaction, "
                f"which pg_stat_activity shows, and run it again. {error}"
            ) from error
        self.stderr.write("Others hold a lock that this migration needs: it is tried again.")


@contextmanager
def _short_waits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """During the block, statements of this connection wait for locks for LOCK_SECONDS at most."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    try:
        with connection.execute_wrapper(_let_indexes_take_long):
            yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")


def _let_indexes_take_long(
    execute: Execute, sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement; one with CONCURRENTLY blocks nobody, so that it may wait and take long."""
    if "CONCURRENTLY" not in sql:
        return execute(sql, parameters, many, context)
    cursor = context["cursor"].cursor
    limits = {name: cursor.execute(f"SHOW {name}").fetchone()[0] for name in LIMITS}
    for name in limits:
        cursor.execute(f"SET {name} = 0")
    try:
        return execute(sql, parameters, many, context)
    finally:
        for name, value in limits.items():
            cursor.execute(f"SET {name} = '{value}'")
