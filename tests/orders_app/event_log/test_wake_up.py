"""Writers of the order log wake its readers after the COMMIT, and no reader depends on it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from django.db import connection, connections, transaction
from structlog.types import EventDict

from foundation import shared_connection as module
from foundation.shared_connection import shared_connection
from orders_app import event_log
from orders_app.event_log import wake_up
from orders_app.event_log.wake_up import WakeUpListener, notify_readers
from orders_app.state_machine import OrderStatus
from tests.database import database_url, in_test_database
from tests.orders_app.ordering import OrderPlacer, move

pytestmark = pytest.mark.django_db(transaction=True)

Session = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def session() -> Iterator[Session]:
    """A session of PostgreSQL that listens."""
    with psycopg.connect(database_url(), autocommit=True) as session:
        session.execute(f"LISTEN {wake_up.CHANNEL}")
        yield session


def is_woken(session: Session, seconds: float = 20.0) -> bool:
    return bool(list(session.notifies(timeout=seconds, stop_after=1)))


def is_not_woken(session: Session) -> bool:
    """Whether nothing was sent: the notification of another channel, sent later, is received first."""
    session.execute("LISTEN marker")
    session.execute("NOTIFY marker")
    [first, *_] = session.notifies(timeout=20, stop_after=1)
    return first.channel == "marker"


@pytest.fixture(autouse=True)
def each_commit_notifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_up, "NOTIFY_SECONDS", 0)


def test_a_placed_order_wakes_readers_when_it_can_be_read(placer: OrderPlacer, session: Session) -> None:
    order = placer.place()
    assert is_woken(session)
    assert [event.order_id for event in event_log.read_after(event_log.START, 9)] == [order.id]


def test_a_change_wakes_readers_when_it_is_committed(placer: OrderPlacer, session: Session) -> None:
    order = placer.place()
    assert is_woken(session)
    with transaction.atomic():
        move(order, OrderStatus.PROCESSING)
        assert is_not_woken(session)
    assert is_woken(session)


def test_a_change_that_is_rolled_back_wakes_no_reader(placer: OrderPlacer, session: Session) -> None:
    order = placer.place()
    assert is_woken(session)
    with transaction.atomic():
        move(order, OrderStatus.PROCESSING)
        transaction.set_rollback(True)
    assert is_not_woken(session)


READER = """
import django; django.setup()
from orders_app.event_log import wake_up
wake_up.FIRST_POLL_SECONDS = wake_up.LONGEST_POLL_SECONDS = 60
listener = wake_up.WakeUpListener()
listener.wait(after_events=False)
print("listens", flush=True)
listener.wait(after_events=False)
print("is woken", flush=True)
"""


def test_a_reader_in_another_process_that_shares_no_directory_is_woken(placer: OrderPlacer) -> None:
    with tempfile.TemporaryDirectory() as directory:
        environment = in_test_database() | {"TMPDIR": directory}
        command = [sys.executable, "-c", READER]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "listens\n"
            placer.place()
            started = time.monotonic()
            assert reader.stdout.readline() == "is woken\n"
            assert time.monotonic() - started < 20


def test_a_wake_up_during_a_statement_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_up, "FIRST_POLL_SECONDS", 60)
    listener = WakeUpListener()
    listener.wait(after_events=False)
    notify_from_another_session()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert seconds_of_wait(listener) < 20


def test_without_wake_ups_the_reader_polls_soon_after_events_and_with_backoff_while_idle() -> None:
    listener = WakeUpListener()
    listener.wait(after_events=False)
    with connection.cursor() as cursor:
        cursor.execute("UNLISTEN *")  # as a connection pooler would
    growing = [seconds_of_wait(listener) for _ in range(5)]
    assert growing[4] > 4 * growing[1] > 4 * growing[0]
    assert wake_up.LONGEST_POLL_SECONDS <= growing[4] < 2 * wake_up.LONGEST_POLL_SECONDS
    assert seconds_of_wait(listener, after_events=True) < wake_up.LONGEST_POLL_SECONDS


def test_a_reader_with_a_new_connection_listens_again_and_reads_immediately(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wake_up, "FIRST_POLL_SECONDS", 60)
    listener = WakeUpListener()
    listener.wait(after_events=False)
    connection.close()
    assert seconds_of_wait(listener) < 20
    notify_from_another_session()
    assert seconds_of_wait(listener) < 20


def test_a_listener_that_does_not_read_does_not_slow_the_writer(session: Session) -> None:
    connection.ensure_connection()
    started = time.monotonic()
    for _ in range(2000):
        notify_readers(connection)
    assert time.monotonic() - started < 20
    assert is_woken(session)


def test_commits_that_follow_a_wake_up_at_once_send_none(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()
    notify_readers(connection)
    assert is_woken(session)
    monkeypatch.setattr(wake_up, "NOTIFY_SECONDS", 60)
    notify_readers(connection)
    assert is_not_woken(session)


def test_a_writer_with_an_ended_session_is_logged_and_not_stopped(
    captured_log: list[EventDict],
) -> None:
    with closing(connections.create_connection("default")) as writer:
        writer.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [writer.connection.info.backend_pid])
        notify_readers(writer)
    assert [entry["event"] for entry in captured_log] == ["readers of the order log are not notified"]


def test_a_shared_connection_that_was_lost_at_the_wake_up_is_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TRUSTED_SECONDS", 1000.0)
    with closing(shared_connection("lost")) as writer:
        writer.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 20000)", [writer.connection.info.backend_pid])
        notify_readers(writer)
        with shared_connection("lost").cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


def seconds_of_wait(listener: WakeUpListener, *, after_events: bool = False) -> float:
    started = time.monotonic()
    listener.wait(after_events=after_events)
    return time.monotonic() - started


def notify_from_another_session() -> None:
    with closing(connections.create_connection("default")) as writer:
        writer.ensure_connection()
        notify_readers(writer)
