"""Who hears what, in which order, and what was missed: live, after a reconnect, and across the seam."""

from contextlib import ExitStack
from functools import partial
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
from tests.orders_app.ordering import STAFF, Desk, answer, reserved
from tests.orders_app.sockets.browser import REPLAY_EVENTS, Json, browsing, listening, token

TRY_AGAIN_LATER = 4013
NO_ORDER = "01937a5e-0000-7000-8000-000000000000"
pytestmark = pytest.mark.django_db(transaction=True)


def event_ids(messages: list[Json]) -> list[str]:
    return [message["eventId"] for message in messages]


def update(order_id: UUID, times: int) -> None:
    for number in range(times):
        update_order(order_id=order_id, tracking_number=f"T-{uuid7()}-{number}", origin=STAFF)


@pytest.fixture
def other_desk(desk: Desk) -> Desk:
    return Desk(User.objects.create_user("somebody-else").pk, desk.catalogue)


def test_customers_hear_of_their_own_orders_only(socket_url: str, desk: Desk, other_desk: Desk) -> None:
    with listening(socket_url, desk.user_id) as mine, listening(socket_url, other_desk.user_id) as theirs:
        other_order = other_desk.place()
        order = desk.place()
        assert mine.hear()["orderId"] == str(order.id)
        assert theirs.hear()["orderId"] == str(other_order.id)
        assert mine.hears_nothing_more()
        assert theirs.hears_nothing_more()


def test_staff_hear_of_all_orders_once(socket_url: str, desk: Desk, other_desk: Desk) -> None:
    with listening(socket_url, desk.user_id, is_staff=True) as staff:
        orders = [other_desk.place(), desk.place()]
        assert event_ids(staff.hears(2)) == [f"{order.id}:1" for order in orders]
        assert staff.hears_nothing_more()


def test_a_listener_that_leaves_silences_nobody_else(socket_url: str, desk: Desk) -> None:
    with listening(socket_url, desk.user_id) as customer:
        with listening(socket_url, desk.user_id, is_staff=True), listening(socket_url, desk.user_id):
            pass
        order = desk.place()
        assert customer.hear()["eventId"] == f"{order.id}:1"


def test_every_connection_of_a_customer_hears(socket_url: str, desk: Desk) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(listening(socket_url, desk.user_id)) for _ in range(3)]
        order = desk.place()
        assert [tab.hear()["eventId"] for tab in tabs] == [f"{order.id}:1"] * 3


def test_a_connection_without_subscription_hears_nothing(socket_url: str, desk: Desk) -> None:
    with listening(socket_url, desk.user_id) as tab, browsing(socket_url) as silent:
        silent.authenticate(token(desk.user_id))
        desk.place()
        assert tab.hear()["type"] == "order:created"
        assert silent.hears_nothing_more()


def test_versions_written_at_once_arrive_in_order(socket_url: str, desk: Desk) -> None:
    orders = [desk.place() for _ in range(4)]
    with listening(socket_url, desk.user_id) as browser:
        run_together(*(partial(update, order.id, 10) for order in orders * 2))
        heard = browser.hears(80)
        assert browser.hears_nothing_more()
    for order in orders:
        versions = [message["version"] for message in heard if message["orderId"] == str(order.id)]
        assert versions == list(range(2, 22))


def test_a_burst_arrives_whole_though_another_client_does_not_read(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    burst = 1500
    with listening(socket_url, desk.user_id), listening(socket_url, desk.user_id) as browser:
        append_updates(order, burst)
        assert [message["version"] for message in browser.hears(burst)] == list(range(2, burst + 2))
        assert browser.hears_nothing_more()


def append_updates(order: OrderDocument, count: int) -> None:
    """Events alone, in one transaction: faster than any number of real changes."""
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


def test_what_was_missed_comes_first_and_in_order(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    answer(reserved(order))
    other_order = desk.place()
    with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:1") as browser:
        assert event_ids(browser.hears(3)) == [f"{order.id}:2", f"{order.id}:3", f"{other_order.id}:1"]
        update(order.id, 1)
        assert browser.hear()["eventId"] == f"{order.id}:4"
        assert browser.hears_nothing_more()


def test_missed_events_show_the_order_as_it_was_then(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    answer(reserved(order))
    with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:1") as browser:
        assert [message["order"]["status"] for message in browser.hears(2)] == [1, 2]


def test_somebody_who_missed_nothing_hears_nothing(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:1") as browser:
        assert browser.hears_nothing_more()


def test_staff_hear_of_all_orders_that_they_missed(socket_url: str, desk: Desk, other_desk: Desk) -> None:
    first, second, third = desk.place(), other_desk.place(), desk.place()
    with listening(socket_url, 1, is_staff=True, last_event_id=f"{first.id}:1") as staff:
        assert event_ids(staff.hears(2)) == [f"{second.id}:1", f"{third.id}:1"]


@pytest.mark.parametrize(
    "last_event_id", [f"{NO_ORDER}:1", "nonsense", "", f"{NO_ORDER}:x", "\0:1"], ids=repr
)
def test_after_an_unknown_last_event_the_client_must_load_anew(
    socket_url: str, desk: Desk, last_event_id: str
) -> None:
    with listening(socket_url, desk.user_id, last_event_id=last_event_id) as browser:
        assert browser.hear() == {"type": "resync"}
        order = desk.place()
        assert event_ids(browser.hears(1)) == [f"{order.id}:1"]


def test_after_somebody_elses_last_event_the_client_must_load_anew(
    socket_url: str, desk: Desk, other_desk: Desk
) -> None:
    foreign = other_desk.place()
    desk.place()
    with listening(socket_url, desk.user_id, last_event_id=f"{foreign.id}:1") as browser:
        assert browser.hear() == {"type": "resync"}
        assert browser.hears_nothing_more()


def test_as_many_missed_as_are_kept_ready_are_sent(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    append_updates(order, REPLAY_EVENTS)
    with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:1") as browser:
        assert len(browser.hears_until(f"{order.id}:{REPLAY_EVENTS + 1}")) == REPLAY_EVENTS


def test_after_more_than_that_the_client_must_load_anew(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    append_updates(order, REPLAY_EVENTS + 1)
    with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:1") as browser:
        assert browser.hear() == {"type": "resync"}
        later = desk.place()
        assert browser.hear()["eventId"] == f"{later.id}:1"
        assert browser.hears_nothing_more()


def test_coming_back_again_and_again_under_way_misses_and_repeats_nothing(
    socket_url: str, desk: Desk
) -> None:
    order = desk.place()
    total = 100
    writing = start_beside(lambda: update(order.id, total))
    heard = [1]
    while heard[-1] < total + 1:
        with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:{heard[-1]}") as browser:
            heard += [browser.hear()["version"] for _ in range(min(7, total + 1 - heard[-1]))]
    result_of(writing, 30)
    assert heard == list(range(1, total + 2))


def test_a_client_that_goes_in_the_middle_of_a_replay_is_no_error(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    append_updates(order, REPLAY_EVENTS)
    for _ in range(5):
        with listening(socket_url, desk.user_id, last_event_id=f"{order.id}:1"):
            pass  # the daphne of the tests must not log an exception


def test_an_event_that_cannot_be_told_stops_nobody(socket_url: str, desk: Desk) -> None:
    order = desk.place()
    without_history = msgspec.structs.replace(order, id=uuid7())
    data = event_data.Changed(order.order_number, OrderChanges(updated_at=timezone.now()))
    with listening(socket_url, desk.user_id) as browser:
        event_log.append([new_event(without_history, 7, data)])
        update(order.id, 1)
        assert browser.hear()["eventId"] == f"{order.id}:2"


def test_with_nobody_listening_the_log_is_not_read(socket_url: str, desk: Desk) -> None:
    with listening(socket_url, desk.user_id):
        assert readers() == 1
    eventually(lambda: readers() == 0, "the feed has left the database")
    desk.place()
    with listening(socket_url, desk.user_id) as browser:
        order = desk.place()
        assert browser.hear()["eventId"] == f"{order.id}:1"


def readers() -> int:
    """How many other connections to the tests' database read the log on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query LIKE '%pg_snapshot_xmin%'"
        )
        count: int = cursor.fetchone()[0]
        return count


def test_a_database_that_was_away_costs_a_subscriber_nothing(
    socket_url: str, desk: Desk, postgres_server: Server
) -> None:
    with listening(socket_url, desk.user_id) as browser, browsing(socket_url) as late:
        late.authenticate(token(desk.user_id))
        connection.close()
        postgres_server.stop()
        try:
            late.say("authenticate", token=token(desk.user_id), lastEventId=f"{uuid7()}:1")
            late.hear()
            late.say("subscribe:orders")
            assert late.hear() == {"type": "subscribed:orders"}
            assert late.close_code() == TRY_AGAIN_LATER
        finally:
            postgres_server.start()
        order = desk.place()
        assert browser.hear()["eventId"] == f"{order.id}:1"


def test_without_a_database_nobody_can_subscribe(
    socket_url: str, desk: Desk, postgres_server: Server
) -> None:
    with browsing(socket_url) as browser:
        browser.authenticate(token(desk.user_id))
        connection.close()
        postgres_server.stop()
        try:
            browser.say("subscribe:orders")
            assert browser.close_code() == TRY_AGAIN_LATER
        finally:
            postgres_server.start()
    with listening(socket_url, desk.user_id) as browser:
        order = desk.place()
        assert browser.hear()["eventId"] == f"{order.id}:1"
