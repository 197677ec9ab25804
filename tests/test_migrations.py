"""Migrations keep the old code working, and make nobody wait (docs/upgrading.md)."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.models.functions import Now

from config.management.commands import migrate
from tests.database import database_url
from tests.documents import ROOT
from tests.migration_lint import DATA, DEFAULT_DROPPED, PARTLY_APPLIED, findings, own_migrations, sql_of

FIRST_VERSION = {"orders_app": 24, "products_app": 3, "kafka_workers": 5, "web": 1}
"""The last migration of each app in 0.1.0: before it there was no code that could go on working."""
STATES = "0024_states_of_orders"
"""A migration of the orders that breaks one rule."""


def later(migration: migrations.Migration) -> bool:
    return int(migration.name[:4]) > FIRST_VERSION[migration.app_label]


@pytest.mark.django_db
def test_no_migration_breaks_a_rule_without_a_reason() -> None:
    broken = {each.name: findings(each) for each in own_migrations() if later(each)}
    assert {name: found for name, found in broken.items() if found} == {}


@pytest.mark.django_db
def test_sql_that_squawk_judges_is_that_of_the_migration() -> None:
    [states] = [each for each in own_migrations() if each.name == STATES]
    assert "order_states" in sql_of(states)
    assert findings(states) == ["require-concurrent-index-creation"]


def migration(*operations: Any, atomic: bool = True) -> migrations.Migration:
    """A migration that nobody has written, after one of the orders."""
    fields = {
        "dependencies": [("orders_app", STATES)],
        "operations": list(operations),
        "atomic": atomic,
    }
    made: migrations.Migration = type("MadeUp", (migrations.Migration,), fields)("9999_made_up", "orders_app")
    return made


def nothing(*_: object) -> None:
    """Stands for a change of rows."""


TEXT = models.CharField(max_length=9, default="x")
WITH_DEFAULT = models.CharField(max_length=9, db_default="x")
INDEX = models.Index(fields=["version"], name="made_up")
BAD: dict[str, tuple[Sequence[Any], bool, str]] = {
    "dropped column": ([migrations.RemoveField("order", "tracking_number")], True, "ban-drop-column"),
    "dropped table": ([migrations.DeleteModel("Redaction")], True, "ban-drop-table"),
    "renamed column": ([migrations.RenameField("order", "version", "edition")], True, "renaming-column"),
    "default in Python alone": ([migrations.AddField("order", "note", TEXT)], True, DEFAULT_DROPPED),
    "index": ([migrations.AddIndex("order", INDEX)], True, "require-concurrent-index-creation"),
    "other type": (
        [migrations.AlterField("order", "version", models.CharField(max_length=9))],
        True,
        "changing-column-type",
    ),
    "null no longer": (
        [migrations.AlterField("order", "paid_at", models.DateTimeField(db_default=Now()))],
        True,
        "adding-not-nullable-field",
    ),
    "check at once": (
        [
            migrations.AddConstraint(
                "order", models.CheckConstraint(condition=models.Q(version__lt=9), name="made_up")
            )
        ],
        True,
        "constraint-missing-not-valid",
    ),
    "rows by Python": ([migrations.RunPython(nothing)], True, DATA),
    "half applied": (
        [AddIndexConcurrently("order", INDEX), migrations.AddField("order", "note", WITH_DEFAULT)],
        False,
        PARTLY_APPLIED,
    ),
}
GOOD: dict[str, tuple[Sequence[Any], bool]] = {
    "column with a default of the database": ([migrations.AddField("order", "note", WITH_DEFAULT)], True),
    "column that may be null": (
        [migrations.AddField("order", "note", models.CharField(max_length=9, null=True))],
        True,
    ),
    "index without a lock": ([AddIndexConcurrently("order", INDEX)], False),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("operations", "is_atomic", "rule"), BAD.values(), ids=BAD)
def test_a_change_that_breaks_the_old_code_is_found(
    operations: Sequence[Any], is_atomic: bool, rule: str
) -> None:
    assert rule in findings(migration(*operations, atomic=is_atomic))


@pytest.mark.django_db
@pytest.mark.parametrize(("operations", "is_atomic"), GOOD.values(), ids=GOOD)
def test_a_change_that_the_old_code_survives_is_not_found(operations: Sequence[Any], is_atomic: bool) -> None:
    assert findings(migration(*operations, atomic=is_atomic)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("comment", "is_allowed"), [("", False), (": nothing has read it since 0.2", True)])
def test_an_exception_needs_a_reason(comment: str, is_allowed: bool) -> None:
    source = f"# allowed: ban-drop-column{comment}\n"
    with patch("tests.migration_lint._source", return_value=source):
        found = findings(migration(migrations.RemoveField("order", "tracking_number")))
    assert ("ban-drop-column" not in found) is is_allowed


@contextmanager
def locked(table: str) -> Iterator[psycopg.Connection]:
    """Another program reads the table in a transaction that it leaves open."""
    with psycopg.connect(database_url()) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        yield other


@pytest.mark.django_db(transaction=True)
def test_migrate_gives_up_a_lock_soon_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "TRIES", 2)
    monkeypatch.setattr(migrate, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.2)
    began = time.monotonic()
    try:
        with locked("stock_look"), pytest.raises(CommandError, match="hold a lock for too long"):
            call_command("migrate", "kafka_workers", "0004", verbosity=0)
        assert 0.4 <= time.monotonic() - began < 5
        assert "stock_look" in connection.introspection.table_names()
    finally:
        call_command("migrate", "kafka_workers", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_migrate_goes_on_when_the_lock_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.2)
    with locked("stock_look") as other:
        monkeypatch.setattr("config.management.commands.migrate.sleep", lambda _: other.rollback())
        call_command("migrate", "kafka_workers", "0004", verbosity=0)
    assert "stock_look" not in connection.introspection.table_names()
    call_command("migrate", "kafka_workers", verbosity=0)
    assert "stock_look" in connection.introspection.table_names()


@pytest.mark.django_db(transaction=True)
def test_an_index_that_blocks_nobody_may_take_as_long_as_it_needs() -> None:
    seen: list[str] = []

    def execute(sql: str, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            seen.append(f"{sql}: {cursor.fetchone()[0]}")

    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
        for sql in ("CREATE INDEX CONCURRENTLY a", "CREATE INDEX a"):
            migrate._let_indexes_take_long(execute, sql, None, False, {"cursor": cursor})
        cursor.execute("SET lock_timeout = 0")
    assert seen == ["CREATE INDEX CONCURRENTLY a: 0", "CREATE INDEX a: 2s"]


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    versions = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project
    assert versions[0] == project[1]
    assert "From " + versions[0] in (ROOT / "docs" / "upgrading.md").read_text()
