"""Faults that a client cannot cause: a session that ends under an open socket, and a socket that fails."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import override_settings

from orders_app.sockets.log_feed import LogFeed
from orders_app.sockets.order_socket import OrderSocket
from orders_app.sockets.socket_messages import SocketMessage
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.sockets.browser import session_cookie

NOT_AUTHENTICATED = 4401
pytestmark = pytest.mark.django_db(transaction=True)


SHORT_TOKENS = settings.SIMPLE_JWT | {"ACCESS_TOKEN_LIFETIME": timedelta(seconds=0.5)}


def in_one_loop(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    async_to_sync(bounded)()


@override_settings(SIMPLE_JWT=SHORT_TOKENS)
def test_a_session_is_checked_again_and_the_socket_closes_when_it_has_ended() -> None:
    cookie = session_cookie(User.objects.create_user("alice"))

    async def scenario() -> None:
        socket = WebsocketCommunicator(
            OrderSocket.as_asgi(), "/ws/orders/", headers=[(b"cookie", cookie.encode())]
        )
        assert (await socket.connect())[0]
        assert (await socket.receive_json_from())["type"] == "connected"
        assert await socket.receive_nothing(timeout=1.2)
        await sync_to_async(Session.objects.all().delete)()
        closed = await socket.receive_output(timeout=5)
        assert (closed["type"], closed["code"]) == ("websocket.close", NOT_AUTHENTICATED)
        await socket.disconnect()

    in_one_loop(scenario)


class Recorder:
    """A recipient that records the messages delivered to it, or fails."""

    is_staff = False

    def __init__(self, user_id: int, failure: Exception | None = None) -> None:
        self.user_id = user_id
        self.failure = failure
        self.received: asyncio.Queue[SocketMessage] = asyncio.Queue()

    async def deliver(self, message: SocketMessage) -> None:
        self.received.put_nowait(message)
        if self.failure:
            raise self.failure


def test_a_socket_that_fails_receives_no_more_and_the_others_continue(placer: OrderPlacer) -> None:
    async def scenario() -> None:
        feed = LogFeed()
        failing, good = Recorder(placer.user_id, OSError("broken")), Recorder(placer.user_id)
        await feed.join(failing)
        await feed.join(good)
        for _ in range(2):
            order = await sync_to_async(placer.place)()
            assert str(order.id) in (await good.received.get()).text
        assert failing.received.qsize() == 1
        feed.leave(good)

    in_one_loop(scenario)
