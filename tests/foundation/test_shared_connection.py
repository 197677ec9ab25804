"""One connection for many threads: cheap to use, and replaced when the server has ended it."""

from collections.abc import Iterator

import pytest
from django.db import connection

from devtools.driver.shop import eventually
from foundation import shared_connection as module
from foundation.shared_connection import has_unread_bytes, shared_connection

pytestmark = pytest.mark.django_db(transaction=True)
PID = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    shared_connection("tests").close()


def answer(statement: str) -> int:
    with shared_connection("tests").cursor() as cursor:
        cursor.execute(statement)
        value: int = cursor.fetchone()[0]
        return value


def end_session(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_one_connection_serves_all() -> None:
    assert answer(PID) == answer(PID)


@pytest.mark.parametrize("trusted", [1000.0, 0.0], ids=["used just now", "idle for long"])
def test_a_connection_that_the_server_has_ended_is_opened_again(
    trusted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRUSTED_SECONDS", trusted)
    pid = answer(PID)
    database = shared_connection("tests")
    end_session(pid)
    eventually(lambda: has_unread_bytes(database), "the server's last message")
    assert answer(PID) != pid


def test_a_connection_that_was_idle_is_checked_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRUSTED_SECONDS", 0.0)
    pid = answer(PID)
    assert answer(PID) == pid


def test_a_recently_used_connection_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRUSTED_SECONDS", 1000.0)
    answer(PID)
    monkeypatch.setattr(shared_connection("tests"), "is_usable", pytest.fail)
    answer(PID)


def test_the_connections_of_threads_keep_their_checks() -> None:
    shared_connection("tests")
    assert connection.settings_dict["CONN_HEALTH_CHECKS"]


def test_a_plan_that_is_kept_finds_rows_by_an_index_also_in_an_empty_table() -> None:
    with shared_connection("tests").cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_generic_plan",)
        cursor.execute(
            "EXPLAIN (GENERIC_PLAN) UPDATE auth_user SET is_active = new.is_active "
            "FROM json_populate_recordset(NULL::auth_user, $1::json) AS new WHERE auth_user.id = new.id"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using auth_user_pkey" in plan
    assert "Seq Scan" not in plan
