"""The outbox relay on the real PostgreSQL and the real broker."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from msgspec.structs import replace
from prometheus_client import REGISTRY

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.shop import eventually
from devtools.stack.server import Server
from foundation.advisory_lock import Lock
from kafka_workers.models import ParkedEvent
from kafka_workers.relay import leadership, outbox_relay
from kafka_workers.relay.outbox_relay import OutboxRelay, Publisher
from kafka_workers.runtime.exceptions import BrokerUnavailable
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Meanwhile, Producer, nothing
from orders_app import event_log
from orders_app.document import OrderLine
from orders_app.event_data import EventType
from orders_app.event_effects import EFFECTS, Effect
from orders_app.event_log import RELAY_READER, START, wake_up
from tests.concurrency import running
from tests.database import in_test_database
from tests.kafka_workers.relay import log_entries

pytestmark = pytest.mark.django_db(transaction=True)

RELAYED = ("order.created", "order.status.changed", "inventory.reserve")


@contextmanager
def running_relay(publisher: Publisher | None = None) -> Iterator[None]:
    def work(stop: threading.Event) -> None:
        with Producer("relay-under-test") as producer:
            OutboxRelay(publisher or producer).run(stop)

    with running(work):
        yield


class Recorder:
    """Publishes messages to the broker and records them; fails the given number of times first."""

    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[OutgoingMessage]] = []
        self.positions_seen: list[event_log.Position] = []
        self._failures = failures
        self._producer = Producer("recorder")

    def publish(self, messages: Sequence[OutgoingMessage], meanwhile: Meanwhile = nothing) -> None:
        self.positions_seen.append(event_log.stored_position(RELAY_READER))
        self.batches.append(list(messages))
        meanwhile()
        if len(self.batches) <= self._failures:
            raise BrokerUnavailable("as the test wants it")
        self._producer.publish(messages)


def all_relayed() -> bool:
    return event_log.stored_position(RELAY_READER) == event_log.end_position() != START


def wait_until_all_relayed() -> None:
    eventually(all_relayed, "the relay's position at the end of the log")


def of_orders(kafka_client: KafkaClient, orders: Sequence[UUID], count: int) -> list[Record]:
    wanted = {str(order) for order in orders}

    def enough(records: list[Record]) -> bool:
        return sum(record.key in wanted for record in records) >= count

    return [record for record in kafka_client.read(RELAYED, enough) if record.key in wanted]


def versions(records: Sequence[Record], order: UUID) -> list[str]:
    """The versions of an order, in the order of their messages in `order.status.changed`."""
    return [
        record.headers["ce_sequence"]
        for record in records
        if record.key == str(order) and record.topic == "order.status.changed"
    ]


def test_every_event_is_published_once_and_the_versions_of_an_order_in_order(
    kafka_client: KafkaClient,
) -> None:
    orders = [log_entries.new_order_id() for _ in range(20)]
    for version in range(1, 11):
        log_entries.append(
            *(
                log_entries.created(order) if version == 1 else log_entries.changed(order, version)
                for order in orders
            )
        )
    with running_relay():
        wait_until_all_relayed()
    records = of_orders(kafka_client, orders, 20 * 11)
    assert len(records) == len({record.headers["ce_id"] for record in records}) == 20 * 11
    for order in orders:
        assert versions(records, order) == [str(version) for version in range(2, 11)]


def test_events_are_sent_again_from_a_time_on(kafka_client: KafkaClient) -> None:
    early, late = log_entries.new_order_id(), log_entries.new_order_id()
    log_entries.append(log_entries.created(early))
    since = log_entries.NOW + timedelta(hours=1)
    log_entries.append(replace(log_entries.created(late), created_at=since))
    with running_relay():
        wait_until_all_relayed()
    out = StringIO()
    call_command("resend_events", "--since", since.isoformat(), stdout=out)
    assert out.getvalue() == "1 events are sent when a relay starts.\n"
    call_command("resend_events", "--since", (since + timedelta(hours=1)).isoformat(), stdout=out)
    assert out.getvalue().splitlines()[1:] == ["1 events are sent when a relay starts."]
    with running_relay():
        wait_until_all_relayed()
    records = of_orders(kafka_client, [early, late], 2 + 4)
    ids = Counter((record.key, record.headers["ce_id"]) for record in records)
    assert {(key, times) for (key, _), times in ids.items()} == {(str(early), 1), (str(late), 2)}


def test_no_event_is_sent_again_while_a_relay_leads() -> None:
    with running_relay():
        eventually(lambda: leaders() == 1, "a leader")
        with pytest.raises(CommandError, match="stop all relays first"):
            call_command("resend_events", "--since", "2026-01-01")


def test_the_metric_says_whether_a_relay_leads() -> None:
    with running_relay():
        eventually(lambda: leaders() == 1, "a leader")
    assert leaders() == 0


def leaders() -> float | None:
    return REGISTRY.get_sample_value("stockbridge_relay_leaders")


def test_the_position_moves_only_after_the_acknowledgement(kafka_client: KafkaClient) -> None:
    order = log_entries.new_order_id()
    log_entries.append(log_entries.created(order))
    publisher = Recorder(failures=2)
    with running_relay(publisher):
        wait_until_all_relayed()
    assert publisher.positions_seen == [START] * 3
    assert publisher.batches[0] == publisher.batches[1] == publisher.batches[2]
    assert len(of_orders(kafka_client, [order], 2)) == 2


def test_events_read_ahead_are_not_published_before_a_failed_batch(
    kafka_client: KafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_relay, "BATCH_EVENTS", 2)
    order = log_entries.new_order_id()
    log_entries.append(*(log_entries.changed(order, version) for version in range(1, 8)))
    publisher = Recorder(failures=1)
    with running_relay(publisher):
        wait_until_all_relayed()
    assert [len(batch) for batch in publisher.batches] == [2, 2, 2, 2, 1]
    assert publisher.batches[0] == publisher.batches[1]
    assert versions(of_orders(kafka_client, [order], 7), order) == [str(version) for version in range(1, 8)]


def test_the_relay_is_woken_by_the_writer(kafka_client: KafkaClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_up, "FIRST_POLL_SECONDS", 60)
    monkeypatch.setattr(wake_up, "NOTIFY_SECONDS", 0)
    with running_relay():
        for _ in range(3):
            # The relay may find the first event at its start; only a wake-up makes it read the others.
            log_entries.append(log_entries.created(log_entries.new_order_id()))
            wait_until_all_relayed()
        monkeypatch.setattr(wake_up, "FIRST_POLL_SECONDS", 0.005)
        wake_up.notify_readers(connection)


def test_an_event_whose_wake_up_is_lost_is_found_by_polling(
    kafka_client: KafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_relay():
        log_entries.append(log_entries.created(log_entries.new_order_id()))
        wait_until_all_relayed()
        monkeypatch.setattr(wake_up, "NOTIFY", b"NOTIFY no_listener")
        log_entries.append(log_entries.created(log_entries.new_order_id()))
        wait_until_all_relayed()


def test_a_new_relay_continues_where_the_last_one_stopped(kafka_client: KafkaClient) -> None:
    first, second = log_entries.new_order_id(), log_entries.new_order_id()
    log_entries.append(log_entries.created(first))
    with running_relay():
        wait_until_all_relayed()
    log_entries.append(log_entries.created(second))
    publisher = Recorder()
    with running_relay(publisher):
        wait_until_all_relayed()
    assert {message.key for batch in publisher.batches for message in batch} == {str(second)}


def lead_session() -> int:
    """The process id of the PostgreSQL session that holds the relay's lock; 0 if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s",
            Lock.RELAY.value,
        )
        row = cursor.fetchone()
    return row[0] if row else 0


def test_the_standby_takes_over_when_the_leader_loses_its_session(kafka_client: KafkaClient) -> None:
    first, second = Recorder(), Recorder()
    with running_relay(first):
        leader = eventually(lead_session, "a leader")
        with running_relay(second):
            log_entries.append(log_entries.created(log_entries.new_order_id()))
            wait_until_all_relayed()
            assert (len(first.batches), len(second.batches)) == (1, 0)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [leader])
            eventually(lambda: lead_session() not in (0, leader), "another leader", seconds=5)
            log_entries.append(log_entries.created(log_entries.new_order_id()))
            wait_until_all_relayed()
    assert len(first.batches) + len(second.batches) == 2


def test_the_standby_takes_over_when_the_leader_ends(kafka_client: KafkaClient) -> None:
    second = Recorder()
    with running_relay():
        eventually(lead_session, "a leader")
        standby = running_relay(second)
        standby.__enter__()
    try:
        log_entries.append(log_entries.created(log_entries.new_order_id()))
        eventually(all_relayed, "the events published by the standby", seconds=5)
        assert len(second.batches) == 1
    finally:
        standby.__exit__(None, None, None)


def too_large() -> list[OrderLine]:
    (line,) = log_entries.LINES
    return [OrderLine(line.product_id, "x" * 4000, line.quantity, line.price)] * 400


def test_an_event_with_too_large_a_message_is_parked_with_its_followers_and_other_orders_continue(
    kafka_client: KafkaClient,
) -> None:
    large, sound = log_entries.new_order_id(), log_entries.new_order_id()
    log_entries.append(log_entries.created(large, too_large()), log_entries.created(sound))
    with running_relay():
        wait_until_all_relayed()
        log_entries.append(log_entries.changed(large, 2), log_entries.changed(sound, 2))
        wait_until_all_relayed()
    assert versions(of_orders(kafka_client, [sound], 3), sound) == ["2"]
    rows = ParkedEvent.objects.values_list("order_id", "version", "reason")
    assert list(rows) == [(large, 1, "refused"), (large, 2, "behind")]
    assert "size" in ParkedEvent.objects.get(version=1).detail


def test_a_parked_event_waits_for_a_retry_and_is_then_published_in_order(kafka_client: KafkaClient) -> None:
    order = log_entries.new_order_id()
    log_entries.append(*(log_entries.changed(order, version) for version in range(1, 4)))
    ParkedEvent.objects.create(order_id=order, version=1, type="order.status.changed", reason="refused")
    with running_relay():
        wait_until_all_relayed()
        assert ParkedEvent.objects.count() == 3
        call_command("parked_events", "retry", str(order))
        eventually(lambda: not ParkedEvent.objects.exists(), "no parked event")
        log_entries.append(log_entries.changed(order, 4))
        wait_until_all_relayed()
    assert versions(of_orders(kafka_client, [order], 4), order) == ["1", "2", "3", "4"]


def test_events_that_an_older_relay_could_not_read_are_sent_by_the_relay_that_can(
    kafka_client: KafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, sound = log_entries.new_order_id(), log_entries.new_order_id()
    log_entries.append(
        log_entries.created(order), log_entries.changed(order, 2), log_entries.cancelled(order, 3)
    )
    with monkeypatch.context() as older:
        older.delitem(cast("dict[EventType, Effect]", EFFECTS), EventType.STATUS_CHANGED)
        log_entries.append(log_entries.created(sound))
        with running_relay():
            wait_until_all_relayed()
    rows = ParkedEvent.objects.values_list("order_id", "version", "reason")
    assert list(rows) == [(order, 2, "unroutable"), (order, 3, "behind")]
    with running_relay():
        eventually(lambda: not ParkedEvent.objects.exists(), "no parked event")
    records = of_orders(kafka_client, [order, sound], 5)
    assert {record.topic for record in records if record.key == str(sound)} == {
        "order.created",
        "inventory.reserve",
    }
    assert versions(records, order) == ["2"]


def test_an_event_that_no_relay_can_read_stays_parked_when_a_relay_starts(kafka_client: KafkaClient) -> None:
    order = log_entries.new_order_id()
    unknown: Any = "order.gift_wrapped"
    log_entries.append(msgspec.structs.replace(log_entries.changed(order, 1), type=unknown))
    for _ in range(2):
        with running_relay():
            eventually(ParkedEvent.objects.exists, "the event parked")
            wait_until_all_relayed()
    assert not ParkedEvent.objects.filter(retry_requested_at__isnull=False).exists()


def test_an_event_that_is_rejected_again_stays_parked(
    kafka_client: KafkaClient, capsys: pytest.CaptureFixture[str]
) -> None:
    order = log_entries.new_order_id()
    log_entries.append(log_entries.created(order, too_large()))
    with running_relay():
        eventually(ParkedEvent.objects.exists, "the event parked")
        call_command("parked_events", "retry")
        eventually(lambda: not ParkedEvent.objects.filter(retry_requested_at__isnull=False), "the retry done")
    call_command("parked_events", "list")
    listed = capsys.readouterr().out
    assert f"{order}:1\torder.created" in listed
    assert "1 parked events" in listed


def test_a_retry_of_an_order_without_parked_events_fails() -> None:
    order = log_entries.new_order_id()
    with pytest.raises(CommandError, match=f"no parked events of {order}"):
        call_command("parked_events", "retry", str(order))


def test_the_statements_of_a_batch_do_not_grow_with_its_events(kafka_client: KafkaClient) -> None:
    log_entries.append(*(log_entries.created(log_entries.new_order_id()) for _ in range(1000)))
    stop = threading.Event()
    statements: list[str] = []

    class StopsAfterOneBatch(Recorder):
        def publish(self, messages: Sequence[OutgoingMessage], meanwhile: Meanwhile = nothing) -> None:
            super().publish(messages, meanwhile)
            stop.set()

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        OutboxRelay(StopsAfterOneBatch()).run(stop)
    assert all_relayed()
    assert len(statements) <= 1000 * 0.02


def test_the_relay_waits_during_an_outage_of_the_broker_and_loses_nothing(
    kafka_client: KafkaClient, kafka_server: Server
) -> None:
    order = log_entries.new_order_id()
    with running_relay():
        eventually(lead_session, "a leader")
        kafka_server.kill()
        try:
            log_entries.append(log_entries.created(order), log_entries.changed(order, 2))
        finally:
            kafka_server.start()
        eventually(all_relayed, "the relay's position at the end of the log", seconds=30)
    assert {record.headers["ce_id"] for record in of_orders(kafka_client, [order], 3)} == {
        f"{order}:1:order.created",
        f"{order}:1:inventory.reserve",
        f"{order}:2:order.status.changed",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_on_sigterm_with_exit_code_0(
    kafka_client: KafkaClient, number: signal.Signals
) -> None:
    log_entries.append(log_entries.created(log_entries.new_order_id()))
    command = [sys.executable, "manage.py", "run_outbox_relay"]
    with subprocess.Popen(command, env=in_test_database()) as process:
        try:
            eventually(all_relayed, "the event published by the command", seconds=30)
            process.send_signal(number)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_a_frozen_relay_is_replaced_and_changes_nothing_when_it_resumes(
    kafka_client: KafkaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(leadership.SESSION, "idle_session_timeout", "500ms")
    frozen, thaw = threading.Event(), threading.Event()

    class Freezes(Recorder):
        def publish(self, messages: Sequence[OutgoingMessage], meanwhile: Meanwhile = nothing) -> None:
            frozen.set()
            assert thaw.wait(20)
            super().publish(messages, meanwhile)

    log_entries.append(log_entries.created(log_entries.new_order_id()))
    with running_relay(Freezes()):
        assert frozen.wait(10)
        with running_relay():
            wait_until_all_relayed()
            log_entries.append(log_entries.created(log_entries.new_order_id()))
            wait_until_all_relayed()
            reached = event_log.stored_position(RELAY_READER)
            thaw.set()
            eventually(lead_session, "a leader")
    assert event_log.stored_position(RELAY_READER) == reached
