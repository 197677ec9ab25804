"""A browser with a socket, and its credentials: tokens and session cookies."""

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

from devtools.driver.patience import PATIENCE_SECONDS

REPLAY_EVENTS = 400
"""SOCKET_REPLAY_EVENTS of the tests' daphne: how many missed events it replays."""
SLOW_SECONDS = 2
"""SOCKET_SLOW_SECONDS of the tests' daphne: how long it waits for a client that does not read."""
SOCKETS_PER_USER = 5
"""SOCKETS_PER_USER of the tests' daphne."""
OTHER_PAGE = "https://shop.example"
"""FRONTEND_URL of the tests' daphne: an allowed origin that is not its own host."""

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
    """One connection, message by message; each wait fails after some seconds."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, kind: str, **fields: object) -> None:
        self.send_frame(json.dumps({"type": kind, **fields}))

    def send_frame(self, frame: str | bytes) -> None:
        self._connection.send(frame)

    def receive(self, seconds: float = PATIENCE_SECONDS) -> Json:
        message: Json = json.loads(self._connection.recv(timeout=seconds))
        return message

    def receive_many(self, count: int) -> list[Json]:
        return [self.receive() for _ in range(count)]

    def receive_until(self, event_id: str) -> list[Json]:
        """All messages up to the one about this event."""
        messages = [self.receive()]
        while messages[-1].get("eventId") != event_id:
            messages.append(self.receive())
        return messages

    def receives_nothing_more(self) -> bool:
        """Whether no message is left: the next one is the answer to a ping."""
        self.send("ping")
        return self.receive() == {"type": "pong"}

    def authenticate(self, access: str, last_event_id: str | None = None) -> Json:
        self.send("authenticate", token=access, lastEventId=last_event_id)
        return self.receive()

    def subscribe(self) -> None:
        self.send("subscribe:orders")
        assert self.receive() == {"type": "subscribed:orders"}

    def close_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The code with which the server closes the socket; fails on a message, and after `seconds`."""
        with pytest.raises(ConnectionClosed) as closed:
            self._connection.recv(timeout=seconds)
        assert closed.value.rcvd, "the connection broke off"
        return closed.value.rcvd.code


@contextmanager
def connected_browser(url: str, **headers: str) -> Iterator[Browser]:
    """Connects with these headers in the handshake."""
    with connect(url, additional_headers=headers, close_timeout=1) as connection:
        yield Browser(connection)


@contextmanager
def subscribed_browser(
    url: str, user_id: int, *, is_staff: bool = False, last_event_id: str | None = None
) -> Iterator[Browser]:
    """Connects, authenticates and subscribes."""
    with connected_browser(url) as browser:
        assert browser.authenticate(token(user_id, is_staff), last_event_id)["type"] == "connected"
        browser.subscribe()
        yield browser
