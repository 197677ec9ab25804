"""Limits that protect other clients: after every refusal another socket keeps receiving."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from devtools.driver.shop import eventually
from orders_app.document import OrderDocument
from orders_app.sockets.order_socket import MAX_MESSAGES
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored
from tests.orders_app.sockets.browser import (
    REPLAY_EVENTS,
    SLOW_SECONDS,
    SOCKETS_PER_USER,
    Browser,
    Json,
    connected_browser,
    session_cookie,
    subscribed_browser,
    token,
)
from tests.orders_app.sockets.test_feed import append_updates, event_ids
from web.slow_readers import MOST_WAITING_BYTES

NO_QUERY = 4400
TOO_MANY = 4429
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def others_keep_receiving(url: str, placer: OrderPlacer) -> Iterator[None]:
    """Opens another socket of the same customer, which must still receive events after the block."""
    with subscribed_browser(url, placer.user_id) as beside:
        before = all_that_is_stored()
        yield
        assert all_that_is_stored() == before
        order = placer.place()
        assert event_ids(beside.receive_many(1)) == [f"{order.id}:1"]


def receive_until_closed(browser: Browser) -> tuple[list[Json], bool]:
    """The messages until the connection ends, and whether it ends with a close frame."""
    received: list[Json] = []
    try:
        while True:
            received.append(browser.receive(SLOW_SECONDS + 8))
    except ConnectionClosed as closed:
        return received, closed.rcvd is not None


@pytest.mark.parametrize("name", ["token", "access_token", "x"])
def test_a_valid_token_in_the_url_is_refused(socket_url: str, placer: OrderPlacer, name: str) -> None:
    user = User.objects.get(pk=placer.user_id)
    with others_keep_receiving(socket_url, placer):
        url = f"{socket_url}?{name}={token(placer.user_id)}"
        with connected_browser(url, Cookie=session_cookie(user)) as browser:
            error = browser.receive()
            assert (error["type"], error["code"]) == ("error", "no_query")
            assert browser.close_code() == NO_QUERY


def test_too_many_messages_close_the_socket(socket_url: str, placer: OrderPlacer) -> None:
    with others_keep_receiving(socket_url, placer), connected_browser(socket_url) as browser:
        browser.authenticate(token(placer.user_id))
        for _ in range(MAX_MESSAGES - 1):
            browser.send("ping")
        assert all(message == {"type": "pong"} for message in browser.receive_many(MAX_MESSAGES - 1))
        browser.send("ping")
        assert browser.close_code() == TOO_MANY


def test_a_flood_of_messages_closes_the_socket_and_is_not_processed(
    socket_url: str, placer: OrderPlacer
) -> None:
    with others_keep_receiving(socket_url, placer), connected_browser(socket_url) as browser:
        browser.authenticate(token(placer.user_id))
        with suppress(ConnectionClosed):
            for _ in range(20_000):
                browser.send("ping")
        assert len(receive_until_closed(browser)[0]) < MAX_MESSAGES


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b" " * 10_000_000, id="ten megabytes"),
        pytest.param(b'{"type": "ping", "items": [' + b"1," * 999_999 + b"1]}", id="a million items"),
    ],
)
def test_a_huge_message_ends_its_own_connection_only(
    socket_url: str, placer: OrderPlacer, frame: bytes
) -> None:
    with others_keep_receiving(socket_url, placer), connected_browser(socket_url) as browser:
        browser.authenticate(token(placer.user_id))
        with suppress(ConnectionClosed, OSError):
            browser.send_frame(frame)
        assert receive_until_closed(browser)[0] == []


@pytest.mark.parametrize("value", ["[" * 30_000 + "]" * 30_000, "[" * 60_000], ids=["whole", "cut off"])
def test_deeply_nested_json_is_answered_as_an_invalid_message(
    socket_url: str, placer: OrderPlacer, value: str
) -> None:
    with others_keep_receiving(socket_url, placer), connected_browser(socket_url) as browser:
        browser.authenticate(token(placer.user_id))
        browser.send_frame(f'{{"type": "ping", "more": {value}}}')
        assert browser.receive()["code"] == "invalid_json"
        assert browser.receives_nothing_more()


def test_sockets_above_the_limit_of_a_user_are_refused_and_the_first_ones_keep_receiving(
    socket_url: str, placer: OrderPlacer
) -> None:
    with ExitStack() as stack:
        tabs = [
            stack.enter_context(subscribed_browser(socket_url, placer.user_id))
            for _ in range(SOCKETS_PER_USER)
        ]
        with connected_browser(socket_url) as browser:
            browser.send("authenticate", token=token(placer.user_id))
            assert browser.close_code() == TOO_MANY
        with subscribed_browser(socket_url, placer.user_id + 1):
            pass
        order = placer.place()
        assert [event_ids(tab.receive_many(1)) for tab in tabs] == [[f"{order.id}:1"]] * len(tabs)


def test_a_socket_that_has_ended_in_any_way_frees_its_place(socket_url: str, placer: OrderPlacer) -> None:
    user = User.objects.get(pk=placer.user_id)
    for _ in range(SOCKETS_PER_USER):
        with connected_browser(socket_url) as browser:
            browser.authenticate(token(placer.user_id))
            browser.authenticate(token(placer.user_id))
            browser.send("authenticate", token="nonsense")
            browser.close_code()
        with connected_browser(socket_url, Cookie=session_cookie(user)) as browser:
            assert browser.receive()["type"] == "connected"
            assert browser.authenticate(token(placer.user_id + 1))["type"] == "connected"
    with ExitStack() as stack:
        for user_id in (placer.user_id, placer.user_id + 1):
            for _ in range(SOCKETS_PER_USER):
                stack.enter_context(subscribed_browser(socket_url, user_id))


@contextmanager
def slow_reader(url: str, user_id: int) -> Iterator[Browser]:
    """A client with a very small buffer for messages that it has not read."""
    address = urlsplit(url)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.connect((str(address.hostname), address.port or 0))
        with connect(url, sock=narrow, close_timeout=1) as connection:
            browser = Browser(connection)
            browser.authenticate(token(user_id))
            browser.subscribe()
            yield browser


def large_order(placer: OrderPlacer) -> OrderDocument:
    """An order whose messages have about 15 KB."""
    return placer.place_items(*((placer.catalogue.add(), 1) for _ in range(100))).order


def is_open(url: str, user_id: int, count: int) -> bool:
    """Whether this user may open this many further sockets."""
    with ExitStack() as stack:
        tabs = [stack.enter_context(connected_browser(url)) for _ in range(count)]
        for tab in tabs:
            tab.send("authenticate", token=token(user_id))
        try:
            return all(tab.receive()["type"] == "connected" for tab in tabs)
        except ConnectionClosed:
            return False


def test_a_client_that_does_not_read_is_disconnected_and_misses_nothing_after_reconnecting(
    socket_url: str, placer: OrderPlacer
) -> None:
    order = large_order(placer)
    burst = REPLAY_EVENTS
    everything = [f"{order.id}:{version}" for version in range(2, burst + 2)]
    with (
        subscribed_browser(socket_url, placer.user_id) as beside,
        slow_reader(socket_url, placer.user_id) as slow,
    ):
        append_updates(order, burst)
        assert event_ids(beside.receive_many(burst)) == everything
        is_gone = partial(is_open, socket_url, placer.user_id, SOCKETS_PER_USER - 1)
        eventually(is_gone, "only the one that reads is left", SLOW_SECONDS + 10)
        messages, has_close_frame = receive_until_closed(slow)
    assert not has_close_frame, "a close frame cannot reach a client that does not read"
    received = event_ids(messages)
    assert received == everything[: len(received)]
    assert len(received) < burst
    last = received[-1] if received else f"{order.id}:1"
    with subscribed_browser(socket_url, placer.user_id, last_event_id=last) as back:
        assert event_ids(back.receive_many(burst - len(received))) == everything[len(received) :]
        assert back.receives_nothing_more()


def test_a_client_with_too_many_unread_bytes_is_disconnected_immediately(
    socket_url: str, placer: OrderPlacer
) -> None:
    order = large_order(placer)
    burst = 2 * MOST_WAITING_BYTES // 15_000
    with (
        subscribed_browser(socket_url, placer.user_id) as beside,
        slow_reader(socket_url, placer.user_id) as slow,
    ):
        append_updates(order, burst)
        assert len(beside.receive_many(burst)) == burst
        received, _ = receive_until_closed(slow)
    assert len(received) < burst
