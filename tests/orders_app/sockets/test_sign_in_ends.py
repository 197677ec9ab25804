"""A socket closes when the sign-in or session ends that it was opened with, and no other does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from orders_app.accounts.sign_ins import end_sign_in, refresh_sign_in, start_sign_in
from tests.orders_app.sockets.browser import Browser, connected_browser, session_cookie

NOT_AUTHENTICATED = 4401
PROMPTLY = 2.0
"""Seconds; the deadline of an identity is minutes away."""
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="a-password-of-hers")


@contextmanager
def by_token(url: str, access: str) -> Iterator[Browser]:
    with connected_browser(url) as browser:
        assert browser.authenticate(access)["type"] == "connected"
        browser.subscribe()
        yield browser


@contextmanager
def by_cookie(url: str, cookie: str) -> Iterator[Browser]:
    with connected_browser(url, Cookie=cookie) as browser:
        assert browser.receive()["type"] == "connected"
        browser.subscribe()
        yield browser


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_log_out_closes_the_sockets_of_that_sign_in_alone(socket_url: str, alice: User) -> None:
    phone, laptop = start_sign_in(user=alice), start_sign_in(user=alice)
    renewed = refresh_sign_in(refresh_token=phone["refresh"])
    with ExitStack() as stack:
        old, new, other = (
            stack.enter_context(by_token(socket_url, tokens["access"])) for tokens in (phone, renewed, laptop)
        )
        end_sign_in(refresh_token=renewed["refresh"])
        assert [tab.close_code(PROMPTLY) for tab in (old, new)] == [NOT_AUTHENTICATED] * 2
        assert other.receives_nothing_more()
        with connected_browser(socket_url) as late:
            late.send("authenticate", token=renewed["access"])
            assert late.close_code() == NOT_AUTHENTICATED


def change_password(user: User) -> None:
    user.set_password("another-password-of-hers")
    user.save()


ENDS_OF_A_USER: dict[str, Callable[[User], object]] = {
    "a changed password": change_password,
    "a password changed by SQL": lambda user: execute(
        f"UPDATE auth_user SET password = '!' WHERE id = {user.pk}"
    ),
    "a deactivation": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "a deletion": lambda user: user.delete(),
}


@pytest.mark.parametrize("end", ENDS_OF_A_USER)
def test_the_end_of_a_user_closes_all_their_sockets_and_no_others(
    end: str, socket_url: str, alice: User
) -> None:
    bob = User.objects.create_user("bob")
    with ExitStack() as stack:
        hers = [
            stack.enter_context(by_token(socket_url, start_sign_in(user=alice)["access"])),
            stack.enter_context(by_cookie(socket_url, session_cookie(alice))),
        ]
        his = [
            stack.enter_context(by_token(socket_url, start_sign_in(user=bob)["access"])),
            stack.enter_context(by_cookie(socket_url, session_cookie(bob))),
        ]
        ENDS_OF_A_USER[end](User.objects.get(pk=alice.pk))
        assert [tab.close_code(PROMPTLY) for tab in hers] == [NOT_AUTHENTICATED] * 2
        assert all(tab.receives_nothing_more() for tab in his)


def test_a_session_that_logs_out_closes_its_socket_alone(socket_url: str, alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    with (
        by_cookie(socket_url, cookie) as ended,
        by_cookie(socket_url, session_cookie(alice)) as elsewhere,
        by_token(socket_url, start_sign_in(user=alice)["access"]) as phone,
    ):
        assert browser.post("/api/session/logout/").status_code == 200
        assert ended.close_code(PROMPTLY) == NOT_AUTHENTICATED
        assert elsewhere.receives_nothing_more()
        assert phone.receives_nothing_more()


def test_a_session_that_is_deleted_closes_its_socket(socket_url: str, alice: User) -> None:
    with by_cookie(socket_url, session_cookie(alice)) as tab:
        Session.objects.all().delete()
        assert tab.close_code(PROMPTLY) == NOT_AUTHENTICATED


def test_a_token_in_place_of_the_cookie_outlives_the_session(socket_url: str, alice: User) -> None:
    with connected_browser(socket_url, Cookie=session_cookie(alice)) as tab:
        tab.receive()
        assert tab.authenticate(start_sign_in(user=alice)["access"])["type"] == "connected"
        Session.objects.all().delete()
        assert tab.receives_nothing_more()


def test_ends_are_told_again_after_the_connection_to_the_database_broke(socket_url: str, alice: User) -> None:
    tokens = start_sign_in(user=alice)
    with by_token(socket_url, tokens["access"]) as phone, by_cookie(socket_url, session_cookie(alice)) as tab:
        execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        end_sign_in(refresh_token=tokens["refresh"])
        Session.objects.all().delete()
        assert [socket.close_code(5) for socket in (phone, tab)] == [NOT_AUTHENTICATED] * 2
