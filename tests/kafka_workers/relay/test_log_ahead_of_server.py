"""A server that has not reached the transactions of its order log, as after a restore from pg_dump."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from kafka_workers.relay.outbox_relay import OutboxRelay
from orders_app import event_log
from orders_app.event_log import transactions
from orders_app.event_log.transactions import LogAheadOfServer, transactions_ahead
from tests.kafka_workers.relay import log_entries
from tests.kafka_workers.relay.test_outbox_relay import Recorder

pytestmark = pytest.mark.django_db(transaction=True)

AHEAD = 3_000


def put_log_ahead() -> None:
    """An event as a dump brings it, with the transaction of another server."""
    log_entries.append(log_entries.created(log_entries.new_order_id()))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE order_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE order_event SET tx = (tx::text::bigint + %s)::text::xid8", [AHEAD])
        cursor.execute("ALTER TABLE order_event ENABLE TRIGGER USER")


def test_the_server_is_brought_past_the_log_and_its_events_can_be_read() -> None:
    put_log_ahead()
    assert 0 < transactions_ahead() <= AHEAD
    assert event_log.read_after(event_log.START, 10) == []
    out = StringIO()
    call_command("advance_transactions", stdout=out)
    call_command("advance_transactions", stdout=out)
    first, second = out.getvalue().splitlines()
    assert "transactions used up: the server has passed the order log" in first
    assert second == "The server has passed the order log already: nothing to do."
    log_entries.append(log_entries.created(log_entries.new_order_id()))
    assert len(event_log.read_after(event_log.START, 10)) == 2


def test_an_event_that_is_appended_meanwhile_does_not_count_as_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_position_after_an_event() -> event_log.Position:
        log_entries.append(log_entries.created(log_entries.new_order_id()))
        return event_log.last_position()

    monkeypatch.setattr(transactions, "last_position", last_position_after_an_event)
    assert transactions_ahead() == 0


def test_a_relay_does_not_pass_over_new_events_but_says_what_to_do(kafka_client: object) -> None:
    put_log_ahead()
    with pytest.raises(LogAheadOfServer, match="ahead of this server"):
        OutboxRelay(Recorder())._try_to_lead()
    connection.close()
    call_command("advance_transactions", stdout=StringIO())
