"""Who may listen: the first message, the cookie, the deadline, the expiry, the page's origin."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from rest_framework_simplejwt.tokens import RefreshToken
from websockets.exceptions import InvalidStatus

from tests.orders_app.ordering import Desk
from tests.orders_app.sockets.browser import OTHER_PAGE, Browser, browsing, session_cookie, token

NOT_AUTHENTICATED = 4401
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(socket_url: str) -> Iterator[Browser]:
    with browsing(socket_url) as browser:
        yield browser


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="a-password-of-hers")


def test_a_token_is_answered_with_who_it_is(browser: Browser) -> None:
    assert browser.authenticate(token(7)) == {"type": "connected", "userId": "7", "isStaff": False}


def test_a_staff_token_is_answered_as_staff(browser: Browser) -> None:
    assert browser.authenticate(token(7, is_staff=True))["isStaff"] is True


@pytest.mark.parametrize(
    "first_message",
    [
        pytest.param('{"type": "authenticate", "token": "nonsense"}', id="a bad token"),
        pytest.param('{"type": "authenticate", "token": ""}', id="an empty token"),
        pytest.param('{"type": "authenticate", "token": 7}', id="a token that is no text"),
        pytest.param('{"type": "authenticate"}', id="neither token nor cookie"),
        pytest.param('{"type": "subscribe:orders"}', id="another message first"),
        pytest.param('{"type": "ping"}', id="a ping first"),
        pytest.param("{", id="broken JSON first"),
    ],
)
def test_a_first_message_that_says_nobody_closes(browser: Browser, first_message: str) -> None:
    browser.send(first_message)
    assert browser.close_code() == NOT_AUTHENTICATED


def test_an_expired_token_closes(browser: Browser) -> None:
    browser.say("authenticate", token=token(7, lifetime=timedelta(seconds=-1)))
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_refresh_token_is_no_access_token(browser: Browser, alice: User) -> None:
    browser.say("authenticate", token=str(RefreshToken.for_user(alice)))
    assert browser.close_code() == NOT_AUTHENTICATED


def test_silence_closes_after_five_seconds(browser: Browser) -> None:
    start = time.monotonic()
    assert browser.close_code() == NOT_AUTHENTICATED
    assert 4.5 < time.monotonic() - start < 7


def test_a_token_that_expires_closes(browser: Browser) -> None:
    browser.authenticate(token(7, lifetime=timedelta(seconds=2)))
    browser.subscribe()
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_fresh_token_in_band_keeps_the_connection(browser: Browser) -> None:
    browser.authenticate(token(7, lifetime=timedelta(seconds=2)))
    browser.subscribe()
    assert browser.authenticate(token(7))["type"] == "connected"
    with pytest.raises(TimeoutError):
        browser.hear(seconds=3)


def test_a_bad_token_in_band_closes(browser: Browser) -> None:
    browser.authenticate(token(7))
    browser.say("authenticate", token="nonsense")
    assert browser.close_code() == NOT_AUTHENTICATED


@pytest.mark.parametrize("other", [(8, False), (7, True)], ids=["another user", "other rights"])
def test_a_connection_stays_one_users(browser: Browser, other: tuple[int, bool]) -> None:
    browser.authenticate(token(7))
    browser.say("authenticate", token=token(*other))
    assert browser.close_code() == NOT_AUTHENTICATED


def test_a_session_cookie_connects_at_once(socket_url: str, alice: User) -> None:
    with browsing(socket_url, Cookie=session_cookie(alice)) as browser:
        assert browser.hear() == {"type": "connected", "userId": str(alice.pk), "isStaff": False}
        browser.subscribe()


def test_a_session_cookie_stands_in_for_the_token(socket_url: str, alice: User) -> None:
    with browsing(socket_url, Cookie=session_cookie(alice)) as browser:
        browser.hear()
        browser.say("authenticate")
        assert browser.hear()["userId"] == str(alice.pk)


def test_a_session_that_was_logged_out_is_nobodys(socket_url: str, alice: User) -> None:
    cookie = session_cookie(alice)
    alice.set_password("another-password")
    alice.save()
    with browsing(socket_url, Cookie=cookie) as browser:
        browser.say("authenticate")
        assert browser.close_code() == NOT_AUTHENTICATED


def test_a_token_outweighs_the_cookie_before_subscribing(socket_url: str, desk: Desk, alice: User) -> None:
    with browsing(socket_url, Cookie=session_cookie(alice)) as browser:
        browser.hear()
        assert browser.authenticate(token(desk.user_id))["userId"] == str(desk.user_id)
        browser.subscribe()
        order = desk.place()
        assert browser.hear()["orderId"] == str(order.id)


def test_a_token_of_somebody_else_after_subscribing_by_cookie_closes(socket_url: str, alice: User) -> None:
    with browsing(socket_url, Cookie=session_cookie(alice)) as browser:
        browser.hear()
        browser.subscribe()
        browser.say("authenticate", token=token(alice.pk + 1))
        assert browser.close_code() == NOT_AUTHENTICATED


@pytest.mark.parametrize(
    "origin", [OTHER_PAGE, "http://localhost:3000", "http://localhost:8000", "https://127.0.0.1"], ids=str
)
def test_pages_of_ours_may_connect(socket_url: str, origin: str) -> None:
    with browsing(socket_url, Origin=origin) as browser:
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
def test_pages_of_others_may_not(socket_url: str, origin: str, alice: User) -> None:
    with (
        pytest.raises(InvalidStatus, match="403"),
        browsing(socket_url, Origin=origin, Cookie=session_cookie(alice)),
    ):
        pass


def test_another_path_is_refused(socket_url: str) -> None:
    with pytest.raises(InvalidStatus, match="403"), browsing(socket_url.replace("orders", "else")):
        pass
