"""Authentication of sockets: the first message, the cookie, the deadline, the expiry, the page's origin."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from rest_framework_simplejwt.tokens import RefreshToken
from websockets.exceptions import InvalidStatus

from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.sockets.browser import OTHER_PAGE, Browser, connected_browser, session_cookie, token

BAD_MESSAGE, NOT_AUTHENTICATED = 4400, 4401
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(socket_url: str) -> Iterator[Browser]:
    with connected_browser(socket_url) as browser:
        yield browser


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="a-password-of-hers")


def test_a_token_is_answered_with_its_user(browser: Browser) -> None:
    assert browser.authenticate(token(7)) == {"type": "connected", "userId": "7", "isStaff": False}


def test_a_staff_token_is_answered_as_staff(browser: Browser) -> None:
    assert browser.authenticate(token(7, is_staff=True))["isStaff"] is True


@pytest.mark.parametrize(
    "first_message",
    [
        pytest.param('{"type": "authenticate", "token": "nonsense"}', id="a bad token"),
        pytest.param('{"type": "authenticate", "token": ""}', id="an empty token"),
        pytest.param('{"type": "authenticate", "token": 7}', id="a token that is no text"),
        pytest.param('{"type": "authenticate", "token": ["a", {"b": null}]}', id="a list of tokens"),
        pytest.param('{"type": "authenticate", "token": "é.ü.🙂"}', id="a token of other characters"),
        pytest.param('{"type": "authenticate", "token": null}', id="no token"),
        pytest.param('{"type": "authenticate"}', id="neither token nor cookie"),
    ],
)
def test_a_first_message_without_a_valid_token_closes_the_socket(
    browser: Browser, first_message: str
) -> None:
    browser.send_frame(first_message)
    assert browser.close_code() == NOT_AUTHENTICATED


FIRST_MESSAGES: dict[str, tuple[str | bytes, str]] = {
    "a subscription": ('{"type": "subscribe:orders"}', "authenticate_first"),
    "a ping": ('{"type": "ping"}', "authenticate_first"),
    "broken JSON": ("{", "invalid_json"),
    "nothing": ("", "invalid_json"),
    "bytes that are no text": (b'{"type": "\xff"}', "invalid_json"),
    "a list": ("[]", "invalid_message"),
    "a message without a type": ("{}", "invalid_message"),
    "an unknown type": ('{"type": "hello"}', "unknown_type"),
    "a last event that is none": ('{"type": "authenticate", "lastEventId": 7}', "invalid_message"),
}


@pytest.mark.parametrize("case", FIRST_MESSAGES)
def test_another_first_message_is_told_why_before_the_socket_closes(browser: Browser, case: str) -> None:
    frame, code = FIRST_MESSAGES[case]
    browser.send_frame(frame)
    error = browser.receive()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["detail"]
    assert browser.close_code() == BAD_MESSAGE


@pytest.mark.parametrize("frame", ["{", '{"type": "hello"}', b'{"type": "\xff"}'], ids=repr)
def test_a_malformed_message_after_authentication_leaves_the_socket_open(
    browser: Browser, frame: str | bytes
) -> None:
    browser.authenticate(token(7))
    browser.send_frame(frame)
    assert browser.receive()["type"] == "error"
    assert browser.receives_nothing_more()


def test_an_expired_token_closes_the_socket(browser: Browser) -> None:
    browser.send("authenticate", token=token(7, lifetime=timedelta(seconds=-1)))
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_refresh_token_is_not_accepted_as_an_access_token(browser: Browser, alice: User) -> None:
    browser.send("authenticate", token=str(RefreshToken.for_user(alice)))
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_socket_without_a_message_closes_after_five_seconds(browser: Browser) -> None:
    start = time.monotonic()
    assert browser.close_code() == NOT_AUTHENTICATED
    assert 4.5 < time.monotonic() - start < 7


def test_a_socket_closes_when_its_token_expires(browser: Browser) -> None:
    browser.authenticate(token(7, lifetime=timedelta(seconds=2)))
    browser.subscribe()
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_new_token_over_the_socket_keeps_the_connection(browser: Browser) -> None:
    browser.authenticate(token(7, lifetime=timedelta(seconds=2)))
    browser.subscribe()
    assert browser.authenticate(token(7))["type"] == "connected"
    with pytest.raises(TimeoutError):
        browser.receive(seconds=3)


def test_an_invalid_token_over_the_socket_closes_it(browser: Browser) -> None:
    browser.authenticate(token(7))
    browser.send("authenticate", token="nonsense")
    assert browser.close_code() == NOT_AUTHENTICATED


@pytest.mark.parametrize("other", [(8, False), (7, True)], ids=["another user", "other rights"])
def test_a_connection_cannot_change_its_user(browser: Browser, other: tuple[int, bool]) -> None:
    browser.authenticate(token(7))
    browser.send("authenticate", token=token(*other))
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_session_cookie_authenticates_without_a_message(socket_url: str, alice: User) -> None:
    with connected_browser(socket_url, Cookie=session_cookie(alice)) as browser:
        assert browser.receive() == {"type": "connected", "userId": str(alice.pk), "isStaff": False}
        browser.subscribe()


def test_a_session_cookie_replaces_the_token(socket_url: str, alice: User) -> None:
    with connected_browser(socket_url, Cookie=session_cookie(alice)) as browser:
        browser.receive()
        browser.send("authenticate")
        assert browser.receive()["userId"] == str(alice.pk)


def test_a_session_that_was_logged_out_authenticates_no_user(socket_url: str, alice: User) -> None:
    cookie = session_cookie(alice)
    alice.set_password("another-password")
    alice.save()
    with connected_browser(socket_url, Cookie=cookie) as browser:
        browser.send("authenticate")
        assert browser.close_code() == NOT_AUTHENTICATED


def test_a_token_overrides_the_cookie_before_subscribing(
    socket_url: str, placer: OrderPlacer, alice: User
) -> None:
    with connected_browser(socket_url, Cookie=session_cookie(alice)) as browser:
        browser.receive()
        assert browser.authenticate(token(placer.user_id))["userId"] == str(placer.user_id)
        browser.subscribe()
        order = placer.place()
        assert browser.receive()["orderId"] == str(order.id)


def test_a_token_of_another_user_after_subscribing_by_cookie_closes_the_socket(
    socket_url: str, alice: User
) -> None:
    with connected_browser(socket_url, Cookie=session_cookie(alice)) as browser:
        browser.receive()
        browser.subscribe()
        browser.send("authenticate", token=token(alice.pk + 1))
        assert browser.close_code() == NOT_AUTHENTICATED


@pytest.mark.parametrize(
    "origin", [OTHER_PAGE, "http://localhost:3000", "http://localhost:8000", "https://127.0.0.1"], ids=str
)
def test_pages_of_allowed_origins_may_connect(socket_url: str, origin: str) -> None:
    with connected_browser(socket_url, Origin=origin) as browser:
        assert browser.authenticate(token(7))["type"] == "connected"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        f"{OTHER_PAGE}.evil.example",
        "http://shop.example",
        f"{OTHER_PAGE}:8443",
        "null",
    ],
    ids=str,
)
def test_pages_of_other_origins_may_not_connect(socket_url: str, origin: str, alice: User) -> None:
    with (
        pytest.raises(InvalidStatus, match="403"),
        connected_browser(socket_url, Origin=origin, Cookie=session_cookie(alice)),
    ):
        pass


def test_another_path_is_refused(socket_url: str) -> None:
    with pytest.raises(InvalidStatus, match="403"), connected_browser(socket_url.replace("orders", "else")):
        pass
