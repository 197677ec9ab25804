"""What a migration must not do while the old code still runs (docs/upgrading.md).

squawk, which knows PostgreSQL's locks, judges the SQL; some rules about Django's operations are our own. An
exception stands in the migration, with its reason:

    # allowed: ban-drop-column: nothing has read it since 0.2
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections, migrations
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

OWN_APPS = ("orders_app", "products_app", "kafka_workers", "web")
SQUAWK = Path(sys.executable).with_name("squawk")
OLDEST_POSTGRESQL = "17"
# `manage.py migrate` sets the times for which locks are waited for. The types of columns are Django's.
# Whether a migration may be half applied is a rule of our own.
NOT_ASKED = (
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamptz",
)
DATA = "data-by-python"
PARTLY_APPLIED = "several-operations-without-transaction"
DEFAULT_DROPPED = "not-null-without-database-default"
_DROPS_DEFAULT = re.compile(r'ALTER COLUMN "?\w+"? DROP DEFAULT')
_ALLOWED = re.compile(r"# allowed: ([a-z-]+): \S+")


def own_migrations() -> list[migrations.Migration]:
    """The migrations of this project's apps, by app and name."""
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return [found[key] for key in sorted(found) if key[0] in OWN_APPS]


def findings(migration: migrations.Migration) -> list[str]:
    """The names of the rules that a migration breaks, without those that it is allowed to break."""
    allowed = set(_ALLOWED.findall(_source(migration)))
    return sorted(set(_all_findings(migration)) - allowed)


def _all_findings(migration: migrations.Migration) -> Iterator[str]:
    sql = sql_of(migration)
    yield from _squawk(sql, is_atomic=migration.atomic)
    if _DROPS_DEFAULT.search(sql):
        yield DEFAULT_DROPPED
    if any(isinstance(operation, migrations.RunPython) for operation in migration.operations):
        yield DATA
    if not migration.atomic and len(migration.operations) > 1:
        yield PARTLY_APPLIED


def sql_of(migration: migrations.Migration) -> str:
    """The SQL of the migration, as `sqlmigrate` shows it; nothing is executed."""
    apart = connections.create_connection("default")  # in no transaction of a test
    try:
        statements: list[str] = _loader_with(migration, apart).collect_sql([(migration, False)])
    finally:
        apart.close()
    return "\n".join(statements)


def _loader_with(migration: migrations.Migration, connection: BaseDatabaseWrapper) -> MigrationLoader:
    """The project's migrations, and this one behind those that it depends on."""
    loader = MigrationLoader(connection, replace_migrations=False)
    key = (migration.app_label, migration.name)
    if key not in loader.graph.nodes:
        loader.graph.add_node(key, migration)
        for parent in migration.dependencies:
            loader.graph.add_dependency(migration, key, parent)
    return loader


def _squawk(sql: str, *, is_atomic: bool) -> list[str]:
    command = [
        str(SQUAWK),
        "--reporter=json",
        f"--pg-version={OLDEST_POSTGRESQL}",
        f"--exclude={','.join(NOT_ASKED)}",
    ]
    if is_atomic:
        command.append("--assume-in-transaction")
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False, timeout=30)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return [each["rule_name"] for each in found]


def _source(migration: migrations.Migration) -> str:
    path = Path(apps.get_app_config(migration.app_label).path, "migrations", f"{migration.name}.py")
    return path.read_text() if path.exists() else ""
