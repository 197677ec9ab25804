"""The events that sockets receive and their order: live, after a reconnect, and during a replay."""

from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from uuid6 import uuid7

from devtools.driver.shop import eventually
from devtools.stack.server import Server
from orders_app import event_data, event_log
from orders_app.document import OrderChanges, OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import NewEvent
from orders_app.services.change_order import update_order
from tests.concurrency import result_of, run_together, start_beside
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, reserved
from tests.orders_app.sockets.browser import REPLAY_EVENTS, Json, connected_browser, subscribed_browser, token

TRY_AGAIN_LATER = 4013
NO_ORDER = "01937a5e-0000-7000-8000-000000000000"
pytestmark = pytest.mark.django_db(transaction=True)


def event_ids(messages: list[Json]) -> list[str]:
    return [message["eventId"] for message in messages]


def update(order_id: UUID, times: int) -> None:
    for number in range(times):
        update_order(order_id=order_id, tracking_number=f"T-{uuid7()}-{number}", origin=STAFF)


@pytest.fixture
def other_placer(placer: OrderPlacer) -> OrderPlacer:
    return OrderPlacer(User.objects.create_user("another-customer").pk, placer.catalogue)


def test_customers_receive_events_of_their_own_orders_only(
    socket_url: str, placer: OrderPlacer, other_placer: OrderPlacer
) -> None:
    with (
        subscribed_browser(socket_url, placer.user_id) as mine,
        subscribed_browser(socket_url, other_placer.user_id) as theirs,
    ):
        other_order = other_placer.place()
        order = placer.place()
        assert mine.receive()["orderId"] == str(order.id)
        assert theirs.receive()["orderId"] == str(other_order.id)
        assert mine.receives_nothing_more()
        assert theirs.receives_nothing_more()


def test_staff_receive_events_of_all_orders_once(
    socket_url: str, placer: OrderPlacer, other_placer: OrderPlacer
) -> None:
    with subscribed_browser(socket_url, placer.user_id, is_staff=True) as staff:
        orders = [other_placer.place(), placer.place()]
        assert event_ids(staff.receive_many(2)) == [f"{order.id}:1" for order in orders]
        assert staff.receives_nothing_more()


def test_other_sockets_keep_receiving_after_one_has_closed(socket_url: str, placer: OrderPlacer) -> None:
    with subscribed_browser(socket_url, placer.user_id) as customer:
        with (
            subscribed_browser(socket_url, placer.user_id, is_staff=True),
            subscribed_browser(socket_url, placer.user_id),
        ):
            pass
        order = placer.place()
        assert customer.receive()["eventId"] == f"{order.id}:1"


def test_every_connection_of_a_customer_receives_events(socket_url: str, placer: OrderPlacer) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(subscribed_browser(socket_url, placer.user_id)) for _ in range(3)]
        order = placer.place()
        assert [tab.receive()["eventId"] for tab in tabs] == [f"{order.id}:1"] * 3


def test_a_connection_without_subscription_receives_nothing(socket_url: str, placer: OrderPlacer) -> None:
    with subscribed_browser(socket_url, placer.user_id) as tab, connected_browser(socket_url) as silent:
        silent.authenticate(token(placer.user_id))
        placer.place()
        assert tab.receive()["type"] == "order:created"
        assert silent.receives_nothing_more()


def test_versions_written_concurrently_arrive_in_order(socket_url: str, placer: OrderPlacer) -> None:
    orders = [placer.place() for _ in range(4)]
    with subscribed_browser(socket_url, placer.user_id) as browser:
        run_together(*(partial(update, order.id, 10) for order in orders * 2))
        received = browser.receive_many(80)
        assert browser.receives_nothing_more()
    for order in orders:
        versions = [message["version"] for message in received if message["orderId"] == str(order.id)]
        assert versions == list(range(2, 22))


def test_a_burst_arrives_completely_while_another_client_does_not_read(
    socket_url: str, placer: OrderPlacer
) -> None:
    order = placer.place()
    burst = 1500
    with (
        subscribed_browser(socket_url, placer.user_id),
        subscribed_browser(socket_url, placer.user_id) as browser,
    ):
        append_updates(order, burst)
        assert [message["version"] for message in browser.receive_many(burst)] == list(range(2, burst + 2))
        assert browser.receives_nothing_more()


def append_updates(order: OrderDocument, count: int) -> None:
    """Appends events in one transaction, without changes of the order, which would be slower."""
    data = event_data.Changed(order.order_number, OrderChanges(updated_at=timezone.now()))
    event_log.append([new_event(order, version, data) for version in range(2, count + 2)])


def new_event(order: OrderDocument, version: int, data: event_data.Changed) -> NewEvent:
    return NewEvent(
        order_id=order.id,
        version=version,
        type=EventType.UPDATED,
        user_id=int(order.user_id),
        data=data,
        actor="service:tests",
        trace_parent="",
        created_at=timezone.now(),
    )


def test_missed_events_are_sent_first_and_in_order(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    answer(reserved(order))
    other_order = placer.place()
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{order.id}:1") as browser:
        assert event_ids(browser.receive_many(3)) == [f"{order.id}:2", f"{order.id}:3", f"{other_order.id}:1"]
        update(order.id, 1)
        assert browser.receive()["eventId"] == f"{order.id}:4"
        assert browser.receives_nothing_more()


def test_missed_events_show_the_order_at_their_version(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    answer(reserved(order))
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{order.id}:1") as browser:
        assert [message["order"]["status"] for message in browser.receive_many(2)] == [1, 2]


def test_a_client_that_missed_nothing_receives_nothing(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{order.id}:1") as browser:
        assert browser.receives_nothing_more()


def test_staff_receive_missed_events_of_all_orders(
    socket_url: str, placer: OrderPlacer, other_placer: OrderPlacer
) -> None:
    first, second, third = placer.place(), other_placer.place(), placer.place()
    with subscribed_browser(socket_url, 1, is_staff=True, last_event_id=f"{first.id}:1") as staff:
        assert event_ids(staff.receive_many(2)) == [f"{second.id}:1", f"{third.id}:1"]


@pytest.mark.parametrize(
    "last_event_id", [f"{NO_ORDER}:1", "nonsense", "", f"{NO_ORDER}:x", "\0:1"], ids=repr
)
def test_after_an_unknown_last_event_the_client_must_reload(
    socket_url: str, placer: OrderPlacer, last_event_id: str
) -> None:
    with subscribed_browser(socket_url, placer.user_id, last_event_id=last_event_id) as browser:
        assert browser.receive() == {"type": "resync"}
        order = placer.place()
        assert event_ids(browser.receive_many(1)) == [f"{order.id}:1"]


def test_after_an_event_of_a_newer_version_the_client_must_reload(
    socket_url: str, placer: OrderPlacer
) -> None:
    order, other = placer.place(), placer.place()
    unknown: Any = "order.gift_wrapped"
    data = event_data.Changed(order.order_number, OrderChanges(updated_at=timezone.now()))
    newer = msgspec.structs.replace(new_event(order, 2, data), type=unknown)
    with subscribed_browser(socket_url, placer.user_id) as browser:
        event_log.append([newer, new_event(order, 3, data)])
        assert [browser.receive(), browser.receive()] == [{"type": "resync"}] * 2
        update(other.id, 1)
        assert browser.receive()["eventId"] == f"{other.id}:2"
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{other.id}:1") as browser:
        assert [browser.receive(), browser.receive()] == [{"type": "resync"}] * 2


def test_after_the_last_event_of_another_customer_the_client_must_reload(
    socket_url: str, placer: OrderPlacer, other_placer: OrderPlacer
) -> None:
    foreign = other_placer.place()
    placer.place()
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{foreign.id}:1") as browser:
        assert browser.receive() == {"type": "resync"}
        assert browser.receives_nothing_more()


def test_missed_events_up_to_the_limit_are_sent(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    append_updates(order, REPLAY_EVENTS)
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{order.id}:1") as browser:
        assert len(browser.receive_until(f"{order.id}:{REPLAY_EVENTS + 1}")) == REPLAY_EVENTS


def test_with_more_missed_events_than_the_limit_the_client_must_reload(
    socket_url: str, placer: OrderPlacer
) -> None:
    order = placer.place()
    append_updates(order, REPLAY_EVENTS + 1)
    with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{order.id}:1") as browser:
        assert browser.receive() == {"type": "resync"}
        later = placer.place()
        assert browser.receive()["eventId"] == f"{later.id}:1"
        assert browser.receives_nothing_more()


def test_repeated_reconnects_miss_and_repeat_nothing(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    total = 100
    writing = start_beside(lambda: update(order.id, total))
    received = [1]
    while received[-1] < total + 1:
        with subscribed_browser(
            socket_url, placer.user_id, last_event_id=f"{order.id}:{received[-1]}"
        ) as browser:
            received += [browser.receive()["version"] for _ in range(min(7, total + 1 - received[-1]))]
    result_of(writing, 30)
    assert received == list(range(1, total + 2))


def test_a_client_that_leaves_during_a_replay_causes_no_error(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    append_updates(order, REPLAY_EVENTS)
    for _ in range(5):
        with subscribed_browser(socket_url, placer.user_id, last_event_id=f"{order.id}:1"):
            pass  # the daphne of the tests must not log an exception


def test_an_event_that_cannot_be_sent_stops_no_other(socket_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    without_history = msgspec.structs.replace(order, id=uuid7())
    data = event_data.Changed(order.order_number, OrderChanges(updated_at=timezone.now()))
    with subscribed_browser(socket_url, placer.user_id) as browser:
        event_log.append([new_event(without_history, 7, data)])
        update(order.id, 1)
        assert browser.receive() == {"type": "resync"}
        assert browser.receive()["eventId"] == f"{order.id}:2"


def test_without_subscriptions_the_log_is_not_read(socket_url: str, placer: OrderPlacer) -> None:
    with subscribed_browser(socket_url, placer.user_id):
        assert readers() == 1
    eventually(lambda: readers() == 0, "the feed has left the database")
    placer.place()
    with subscribed_browser(socket_url, placer.user_id) as browser:
        order = placer.place()
        assert browser.receive()["eventId"] == f"{order.id}:1"


def readers() -> int:
    """How many other connections to the tests' database read the order log, or listen for the next read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query ~ 'order_log_horizon|order_events_after|^LISTEN'"
        )
        count: int = cursor.fetchone()[0]
        return count


def test_subscribers_miss_nothing_in_an_outage_of_the_database(
    socket_url: str, placer: OrderPlacer, postgres_server: Server
) -> None:
    with subscribed_browser(socket_url, placer.user_id) as browser, connected_browser(socket_url) as late:
        late.authenticate(token(placer.user_id))
        connection.close()
        postgres_server.stop()
        try:
            late.send("authenticate", token=token(placer.user_id), lastEventId=f"{uuid7()}:1")
            late.receive()
            late.send("subscribe:orders")
            assert late.receive() == {"type": "subscribed:orders"}
            assert late.close_code() == TRY_AGAIN_LATER
        finally:
            postgres_server.start()
        order = placer.place()
        assert browser.receive()["eventId"] == f"{order.id}:1"


def test_subscribing_fails_in_an_outage_of_the_database(
    socket_url: str, placer: OrderPlacer, postgres_server: Server
) -> None:
    with connected_browser(socket_url) as browser:
        browser.authenticate(token(placer.user_id))
        connection.close()
        postgres_server.stop()
        try:
            browser.send("subscribe:orders")
            assert browser.close_code() == TRY_AGAIN_LATER
        finally:
            postgres_server.start()
    with subscribed_browser(socket_url, placer.user_id) as browser:
        order = placer.place()
        assert browser.receive()["eventId"] == f"{order.id}:1"
