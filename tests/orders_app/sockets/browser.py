"""A client at the other end of a socket, and what it carries: tokens and session cookies."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

REPLAY_EVENTS = 400
"""How many missed events the tests' daphne sends again."""
SLOW_SECONDS = 2
"""How long it waits for a client that does not read."""
SOCKETS_PER_USER = 5
"""How many sockets it lets a user open."""
OTHER_PAGE = "https://shop.example"
"""The front end that it knows, which is no host of its own."""

Json = dict[str, Any]


def token(user_id: int, is_staff: bool = False, lifetime: timedelta = timedelta(minutes=5)) -> str:
    access = AccessToken()
    access.set_exp(lifetime=lifetime)
    access["user_id"] = str(user_id)
    access["is_staff"] = is_staff
    return str(access)


def session_cookie(user: User) -> str:
    """The Cookie header of a browser in which this user has logged in."""
    browser = Client()
    browser.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


class Browser:
    """One connection, message by message; whatever is awaited fails after a few seconds."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def say(self, kind: str, **fields: object) -> None:
        self.send(json.dumps({"type": kind, **fields}))

    def send(self, frame: str | bytes) -> None:
        self._connection.send(frame)

    def hear(self, seconds: float = 10) -> Json:
        message: Json = json.loads(self._connection.recv(timeout=seconds))
        return message

    def hears(self, count: int) -> list[Json]:
        return [self.hear() for _ in range(count)]

    def hears_until(self, event_id: str) -> list[Json]:
        """All messages up to this event's."""
        messages = [self.hear()]
        while messages[-1].get("eventId") != event_id:
            messages.append(self.hear())
        return messages

    def hears_nothing_more(self) -> bool:
        """Whether nothing is under way: the answer to a ping is the next that comes."""
        self.say("ping")
        return self.hear() == {"type": "pong"}

    def authenticate(self, access: str, last_event_id: str | None = None) -> Json:
        self.say("authenticate", token=access, lastEventId=last_event_id)
        return self.hear()

    def subscribe(self) -> None:
        self.say("subscribe:orders")
        assert self.hear() == {"type": "subscribed:orders"}

    def close_code(self, seconds: float = 10) -> int:
        """The code with which the server closes; fails where it says something instead, or nothing."""
        with pytest.raises(ConnectionClosed) as closed:
            self._connection.recv(timeout=seconds)
        assert closed.value.rcvd, "the connection broke off"
        return closed.value.rcvd.code


@contextmanager
def browsing(url: str, **headers: str) -> Iterator[Browser]:
    """A connection, with these headers in its handshake."""
    with connect(url, additional_headers=headers, close_timeout=1) as connection:
        yield Browser(connection)


@contextmanager
def listening(
    url: str, user_id: int, *, is_staff: bool = False, last_event_id: str | None = None
) -> Iterator[Browser]:
    """A client that has authenticated and subscribed."""
    with browsing(url) as browser:
        assert browser.authenticate(token(user_id, is_staff), last_event_id)["type"] == "connected"
        browser.subscribe()
        yield browser
