"""One connection for many threads: cheap to take, and never one that the server has ended."""

from collections.abc import Iterator

import pytest
from django.db import connection

from devtools.driver.shop import eventually
from foundation import shared_connection as module
from foundation.shared_connection import warm_connection

pytestmark = pytest.mark.django_db(transaction=True)
PID = "SELECT pg_backend_pid()"


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    warm_connection("tests").close()


def answer(statement: str) -> int:
    with warm_connection("tests").cursor() as cursor:
        cursor.execute(statement)
        value: int = cursor.fetchone()[0]
        return value


def end_session(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_one_connection_serves_all() -> None:
    assert answer(PID) == answer(PID)


@pytest.mark.parametrize("believed", [1000.0, 0.0], ids=["used just now", "idle for long"])
def test_a_connection_that_the_server_has_ended_is_opened_again(
    believed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BELIEVED_SECONDS", believed)
    pid = answer(PID)
    end_session(pid)
    eventually(lambda: module._has_news(module._kept("tests").database), "the server's last words")
    assert answer(PID) != pid


def test_a_connection_used_just_now_is_not_asked_whether_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BELIEVED_SECONDS", 1000.0)
    answer(PID)
    monkeypatch.setattr(module._kept("tests").database, "is_usable", pytest.fail)
    answer(PID)
