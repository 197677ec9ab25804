"""Old months leave the order log for the archive, where all is still found, whenever that is interrupted."""

import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from uuid6 import uuid7

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_log import archive
from orders_app.event_log.partitions import LOCK_SECONDS
from orders_app.services import archive_events
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, delete_order
from orders_app.services.place_order import new_order
from orders_app.services.replay_orders import compare_slices
from orders_app.sockets.replay import CannotReplay, missed
from orders_app.state_machine import OrderStatus
from tests.database import database_url, in_test_database
from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, now, released, reserved
from tests.python_process import run_python

pytestmark = pytest.mark.django_db(transaction=True)

MONTHS = timedelta(days=120)
PARTITION_OF = (
    "SELECT tableoid::regclass::text FROM order_event WHERE order_id = %s ORDER BY version DESC LIMIT 1"
)


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def select(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@pytest.fixture
def old_month(transactional_db: None) -> Iterator[None]:
    """A partition `order_event_old` of a month that ended about three months ago."""
    [(first, upper, bound)] = select(
        "SELECT name, upper_bound, order_id_from(order_log_month(-3)) FROM order_event_partition "
        "WHERE upper_bound IS NOT NULL"
    )
    detach = f"ALTER TABLE order_event DETACH PARTITION {first}"
    attach = f"ALTER TABLE order_event ATTACH PARTITION {first} FOR VALUES FROM ({{}}) TO ('{upper}')"
    execute(
        detach,
        attach.format(f"'{bound}'"),
        f"CREATE TABLE order_event_old PARTITION OF order_event FOR VALUES FROM (MINVALUE) TO ('{bound}')",
        f"ALTER TABLE order_event_old ADD CONSTRAINT order_event_bound CHECK (order_id < '{bound}')",
    )
    yield
    execute("TRUNCATE order_event", "DROP TABLE order_event_old", detach, attach.format("MINVALUE"))


@pytest.fixture
def old_orders(old_month: None, placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch) -> list[OrderDocument]:
    """A delivered, a cancelled and a deleted order of that month, whose events the relay has read."""
    with monkeypatch.context() as patched:
        patched.setattr(new_order, "uuid7", old_id)
        delivered = placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
        cancelled, deleted = placer.place(), placer.place()
    for order in (cancelled, deleted):
        cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    delete_order(order_id=deleted.id, origin=STAFF)
    make_old()
    event_log.store_position("relay", event_log.last_position())
    return [delivered, cancelled, deleted]


def old_id() -> UUID:
    """The id of an order that was placed some months ago."""
    milliseconds = int((timezone.now() - MONTHS).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | uuid7().int & (1 << 80) - 1)


def make_old() -> None:
    """Lets the events have happened two days ago, past the trigger that refuses it."""
    execute(
        "SET session_replication_role = replica",
        "UPDATE order_event SET created_at = created_at - interval '2 days'",
        "RESET session_replication_role",
    )


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("archive_events", "--older-than", "30", *arguments, stdout=output)
    return output.getvalue()


def is_archived() -> bool:
    [(found,)] = select("SELECT is_archived FROM order_event_partition WHERE name = 'order_event_old'")
    return bool(found)


def histories(orders: list[OrderDocument]) -> list[event_log.LoggedEvent]:
    return event_log.histories([order.id for order in orders])


def differences() -> list[object]:
    return [found for part in compare_slices(10) for found in part.differences]


def test_an_archived_month_answers_as_before(old_orders: list[OrderDocument]) -> None:
    staff = ApiUser(1, is_staff=True)
    urls = [f"orders/{order.id}/history/" for order in old_orders]
    urls.append(f"orders/{old_orders[0].id}/?version=1")
    urls.append(f"orders/?search={old_orders[0].order_number[:9]}")
    before = [staff.request("GET", url).json() for url in urls]
    assert "was moved" in run()
    assert is_archived()
    assert [staff.request("GET", url).json() for url in urls] == before
    assert before[-1]["count"] == 1
    assert differences() == []
    assert select("SELECT count(*) FROM order_event") == [(0,)]
    indexes = select("SELECT indexdef FROM pg_indexes WHERE tablename = 'order_event_old'")
    assert not any("(tx, id)" in str(index) for index in indexes)
    assert "No month" in run()


def test_a_dry_run_says_what_would_be_moved(old_orders: list[OrderDocument]) -> None:
    assert "order_event_old" in (told := run("--dry-run"))
    assert "would be moved" in told
    assert not is_archived()


def test_a_month_with_an_order_that_is_not_final_stays(
    old_orders: list[OrderDocument], placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_order, "uuid7", old_id)
    order = placer.place()
    make_old()
    event_log.store_position("relay", event_log.last_position())
    assert f"1 of its orders are not final, the first one is {order.id}" in run()
    assert not is_archived()


def test_a_month_stays_until_nothing_has_happened_for_a_day(old_orders: list[OrderDocument]) -> None:
    answer(released(old_orders[1]))
    assert "less than a day ago" in run()
    assert not is_archived()


@pytest.mark.parametrize(
    "stored", ["DELETE FROM reader_position", "UPDATE reader_position SET event_id = event_id - 1"]
)
def test_a_month_stays_until_the_relay_has_read_it(old_orders: list[OrderDocument], stored: str) -> None:
    execute(stored)
    assert "have been read by relay" in run()
    assert not is_archived()


def test_a_partition_that_changes_after_the_check_stays(old_orders: list[OrderDocument]) -> None:
    [partition] = archive.ended_partitions(timezone.now())
    last = archive_events.check_partition(partition=partition)
    answer(released(old_orders[1]))
    with pytest.raises(archive.PartitionChanged):
        archive.move_to_archive(partition, last)
    assert not is_archived()


def test_orders_of_an_archived_month_can_still_change(old_orders: list[OrderDocument]) -> None:
    delivered, cancelled, _ = old_orders
    before = histories(old_orders)
    run()
    answer(reserved(cancelled), released(cancelled))
    delete_order(order_id=delivered.id, origin=STAFF)
    after = histories(old_orders)
    assert [event for event in after if event in before] == before
    for order in old_orders:
        versions = [event.version for event in after if event.order_id == order.id]
        assert versions == list(range(1, len(versions) + 1))
    assert len(after) == len(before) + 3  # a release is requested and confirmed, and an order is deleted
    assert select(PARTITION_OF, delivered.id) == [("order_event_default",)]
    assert differences() == []


@pytest.mark.parametrize("kill_at", ["before-archiving", "before-archiving-committed"])
def test_a_killed_command_leaves_all_in_the_log_and_can_run_again(
    old_orders: list[OrderDocument], kill_at: str
) -> None:
    before = histories(old_orders)
    command = ["manage.py", "archive_events", "--older-than", "30"]
    killed = run_python(*command, **in_test_database(), KILL_AT=kill_at)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not is_archived()
    assert histories(old_orders) == before
    assert "was moved" in run()
    assert histories(old_orders) == before


def test_orders_are_placed_while_the_command_waits_for_the_log(
    old_orders: list[OrderDocument], placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_events, "PAUSE_SECONDS", 0)
    taken = []
    with psycopg.connect(database_url()) as reader:
        reader.execute("SELECT FROM order_event")
        refused: list[BaseException] = []
        archiving = threading.Thread(target=keep_error, args=(refused,))
        archiving.start()
        while archiving.is_alive():
            started = time.monotonic()
            placer.place()
            taken.append(time.monotonic() - started)
        archiving.join()
    assert [str(error) for error in refused] == [
        "1 months were not moved because the log was in use. Try again."
    ]
    # Each order waited for one attempt at most, or for two that followed each other.
    assert max(taken) < 2 * LOCK_SECONDS + 1
    assert not is_archived()
    assert "was moved" in run()


def keep_error(errors: list[BaseException]) -> None:
    try:
        run()
    except CommandError as error:
        errors.append(error)
    finally:
        connection.close()


def test_a_client_that_missed_archived_events_must_reload(
    old_orders: list[OrderDocument], placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their order is archived, that of the last event that the client saw is not."""
    seen = placer.place()
    cancel_order(order_id=now(seen).id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    delete_order(order_id=old_orders[0].id, origin=STAFF)
    make_old()
    event_log.store_position("relay", event_log.last_position())
    assert "was moved" in run()
    with pytest.raises(CannotReplay):
        missed(f"{seen.id}:1", placer.user_id, is_staff=False)
    later = placer.place()
    assert missed(f"{later.id}:1", placer.user_id, is_staff=False) == []
