"""What one client cannot do to the others: every refusal here leaves a socket beside it that hears on."""

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
from tests.orders_app.ordering import Desk, all_that_is_stored
from tests.orders_app.sockets.browser import (
    REPLAY_EVENTS,
    SLOW_SECONDS,
    SOCKETS_PER_USER,
    Browser,
    Json,
    browsing,
    listening,
    session_cookie,
    token,
)
from tests.orders_app.sockets.test_feed import append_updates, event_ids
from web.slow_readers import MOST_WAITING_BYTES

NO_QUERY = 4400
TOO_MANY = 4429
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def others_hear_on(url: str, desk: Desk) -> Iterator[None]:
    """A socket of the same customer, which must hear what happens after whatever is done meanwhile."""
    with listening(url, desk.user_id) as beside:
        before = all_that_is_stored()
        yield
        assert all_that_is_stored() == before
        order = desk.place()
        assert event_ids(beside.hears(1)) == [f"{order.id}:1"]


def hears_until_the_end(browser: Browser) -> tuple[list[Json], bool]:
    """What still arrives before the connection ends, and whether it ends with a close frame."""
    heard: list[Json] = []
    try:
        while True:
            heard.append(browser.hear(SLOW_SECONDS + 8))
    except ConnectionClosed as closed:
        return heard, closed.rcvd is not None


@pytest.mark.parametrize("name", ["token", "access_token", "x"])
def test_a_token_in_the_url_is_refused_though_it_is_good(socket_url: str, desk: Desk, name: str) -> None:
    user = User.objects.get(pk=desk.user_id)
    with others_hear_on(socket_url, desk):
        url = f"{socket_url}?{name}={token(desk.user_id)}"
        with browsing(url, Cookie=session_cookie(user)) as browser:
            error = browser.hear()
            assert (error["type"], error["code"]) == ("error", "no_query")
            assert browser.close_code() == NO_QUERY


def test_too_many_messages_close(socket_url: str, desk: Desk) -> None:
    with others_hear_on(socket_url, desk), browsing(socket_url) as browser:
        browser.authenticate(token(desk.user_id))
        for _ in range(MAX_MESSAGES - 1):
            browser.say("ping")
        assert all(message == {"type": "pong"} for message in browser.hears(MAX_MESSAGES - 1))
        browser.say("ping")
        assert browser.close_code() == TOO_MANY


def test_a_flood_closes_and_is_not_worked_off(socket_url: str, desk: Desk) -> None:
    with others_hear_on(socket_url, desk), browsing(socket_url) as browser:
        browser.authenticate(token(desk.user_id))
        with suppress(ConnectionClosed):
            for _ in range(20_000):
                browser.say("ping")
        assert len(hears_until_the_end(browser)[0]) < MAX_MESSAGES


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b" " * 10_000_000, id="ten megabytes"),
        pytest.param(b'{"type": "ping", "items": [' + b"1," * 999_999 + b"1]}", id="a million items"),
    ],
)
def test_a_huge_message_ends_its_own_connection_only(socket_url: str, desk: Desk, frame: bytes) -> None:
    with others_hear_on(socket_url, desk), browsing(socket_url) as browser:
        browser.authenticate(token(desk.user_id))
        with suppress(ConnectionClosed, OSError):
            browser.send(frame)
        assert hears_until_the_end(browser)[0] == []


@pytest.mark.parametrize("value", ["[" * 30_000 + "]" * 30_000, "[" * 60_000], ids=["whole", "cut off"])
def test_deep_nesting_is_answered_as_no_message(socket_url: str, desk: Desk, value: str) -> None:
    with others_hear_on(socket_url, desk), browsing(socket_url) as browser:
        browser.authenticate(token(desk.user_id))
        browser.send(f'{{"type": "ping", "more": {value}}}')
        assert browser.hear()["code"] == "invalid_json"
        assert browser.hears_nothing_more()


def test_one_user_opens_so_many_sockets_and_the_first_ones_hear_on(socket_url: str, desk: Desk) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(listening(socket_url, desk.user_id)) for _ in range(SOCKETS_PER_USER)]
        with browsing(socket_url) as browser:
            browser.say("authenticate", token=token(desk.user_id))
            assert browser.close_code() == TOO_MANY
        with listening(socket_url, desk.user_id + 1):
            pass
        order = desk.place()
        assert [event_ids(tab.hears(1)) for tab in tabs] == [[f"{order.id}:1"]] * len(tabs)


def test_a_socket_that_is_gone_makes_room_however_it_went(socket_url: str, desk: Desk) -> None:
    user = User.objects.get(pk=desk.user_id)
    for _ in range(SOCKETS_PER_USER):
        with browsing(socket_url) as browser:
            browser.authenticate(token(desk.user_id))
            browser.authenticate(token(desk.user_id))
            browser.say("authenticate", token="nonsense")
            browser.close_code()
        with browsing(socket_url, Cookie=session_cookie(user)) as browser:
            assert browser.hear()["type"] == "connected"
            assert browser.authenticate(token(desk.user_id + 1))["type"] == "connected"
    with ExitStack() as stack:
        for user_id in (desk.user_id, desk.user_id + 1):
            for _ in range(SOCKETS_PER_USER):
                stack.enter_context(listening(socket_url, user_id))


@contextmanager
def hardly_reading(url: str, user_id: int) -> Iterator[Browser]:
    """A client with hardly any room for what it does not read."""
    address = urlsplit(url)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.connect((str(address.hostname), address.port or 0))
        with connect(url, sock=narrow, close_timeout=1) as connection:
            browser = Browser(connection)
            browser.authenticate(token(user_id))
            browser.subscribe()
            yield browser


def large_order(desk: Desk) -> OrderDocument:
    """One whose messages have some 15 KB."""
    return desk.request(*((desk.catalogue.add(), 1) for _ in range(100))).order


def is_open(url: str, user_id: int, count: int) -> bool:
    """Whether this user may open so many sockets more."""
    with ExitStack() as stack:
        tabs = [stack.enter_context(browsing(url)) for _ in range(count)]
        for tab in tabs:
            tab.say("authenticate", token=token(user_id))
        try:
            return all(tab.hear()["type"] == "connected" for tab in tabs)
        except ConnectionClosed:
            return False


def test_a_client_that_does_not_read_is_dropped_and_hears_all_of_it_when_it_comes_back(
    socket_url: str, desk: Desk
) -> None:
    order = large_order(desk)
    burst = REPLAY_EVENTS
    everything = [f"{order.id}:{version}" for version in range(2, burst + 2)]
    with listening(socket_url, desk.user_id) as beside, hardly_reading(socket_url, desk.user_id) as slow:
        append_updates(order, burst)
        assert event_ids(beside.hears(burst)) == everything
        is_gone = partial(is_open, socket_url, desk.user_id, SOCKETS_PER_USER - 1)
        eventually(is_gone, "only the one that reads is left", SLOW_SECONDS + 10)
        messages, is_said = hears_until_the_end(slow)
    assert not is_said, "a close frame cannot reach a client that does not read"
    heard = event_ids(messages)
    assert heard == everything[: len(heard)]
    assert len(heard) < burst
    last = heard[-1] if heard else f"{order.id}:1"
    with listening(socket_url, desk.user_id, last_event_id=last) as back:
        assert event_ids(back.hears(burst - len(heard))) == everything[len(heard) :]
        assert back.hears_nothing_more()


def test_a_client_that_lets_too_much_wait_is_dropped_at_once(socket_url: str, desk: Desk) -> None:
    order = large_order(desk)
    burst = 2 * MOST_WAITING_BYTES // 15_000
    with listening(socket_url, desk.user_id) as beside, hardly_reading(socket_url, desk.user_id) as slow:
        append_updates(order, burst)
        assert len(beside.hears(burst)) == burst
        heard, _ = hears_until_the_end(slow)
    assert len(heard) < burst
