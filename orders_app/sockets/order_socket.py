"""The socket at `/ws/orders/`: one connection of one client, who says who it is and subscribes."""

import asyncio
import time
from typing import Any

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseUnavailable

from orders_app.sockets.client_messages import (
    Authenticate,
    ClientMessage,
    InvalidClientMessage,
    Ping,
    SubscribeToOrders,
    decode,
)
from orders_app.sockets.identity import Identity, NotAuthenticated, by_session, by_token, session_key
from orders_app.sockets.open_sockets import TooManySockets, open_sockets
from orders_app.sockets.subscription import SUBSCRIBED, Subscription

AUTHENTICATE_WITHIN_SECONDS = 5
LARGEST_MESSAGE_BYTES = 64 * 1024
MOST_MESSAGES = 100
RATE_SECONDS = 10

NOT_AUTHENTICATED = 4401
NO_QUERY = 4400
TOO_MANY = 4429
# For 1009 and 1013, which daphne refuses to send.
TOO_BIG = 4009
TRY_AGAIN_LATER = 4013


class OrderSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Handles a client's messages one after the other; the deadline and the feed come in between."""

    def __init__(self) -> None:
        super().__init__()
        self._identity: Identity | None = None
        self._session_key = ""
        self._last_event_id: str | None = None
        self._subscription: Subscription | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._enforcement: asyncio.Task[None] | None = None
        self._counted_for: int | None = None
        self._rate_start = 0.0
        self._rate_messages = 0
        self._is_over = False

    async def __call__(self, *connection: Any) -> None:
        """Serve one connection, and leave nothing behind however it ends."""
        try:
            await super().__call__(*connection)
        finally:
            self._end()

    async def connect(self) -> None:
        """Accept; where the handshake brought a session cookie, it says who this is.

        Accepted first even where it is refused: a browser's page is told nothing of a refused handshake.
        """
        await self.accept()
        if self.scope["query_string"]:
            detail = "This address takes no query: the token goes into the first message."
            await self._say(type="error", code="no_query", detail=detail)
            await self._refuse(NO_QUERY)
            return
        self._set_deadline(AUTHENTICATE_WITHIN_SECONDS)
        self._session_key = session_key(self.scope["headers"])
        if not self._session_key:
            return
        try:
            await self._welcome(await by_session(self._session_key))
        except NotAuthenticated:
            pass  # a token may still come
        except TooManySockets:
            await self._refuse(TOO_MANY)
        except DatabaseUnavailable:
            await self._refuse(TRY_AGAIN_LATER)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One message of the client."""
        payload = (text_data or "").encode() or bytes_data or b""
        if self._is_over:
            return
        if len(payload) > LARGEST_MESSAGE_BYTES:
            await self._refuse(TOO_BIG)
            return
        if self._is_too_fast():
            await self._refuse(TOO_MANY)
            return
        try:
            await self._handle(payload)
        except NotAuthenticated:
            await self._refuse(NOT_AUTHENTICATED)
        except TooManySockets:
            await self._refuse(TOO_MANY)
        except DatabaseUnavailable:
            await self._refuse(TRY_AGAIN_LATER)

    def _is_too_fast(self) -> bool:
        """Count a message; whether there were too many of late."""
        now = time.monotonic()
        if now - self._rate_start > RATE_SECONDS:
            self._rate_start, self._rate_messages = now, 0
        self._rate_messages += 1
        return self._rate_messages > MOST_MESSAGES

    async def _handle(self, payload: bytes) -> None:
        try:
            message = decode(payload)
        except InvalidClientMessage as problem:
            self._known()
            await self._say(type="error", code=problem.code, detail=problem.detail)
        else:
            await self._obey(message)

    async def _obey(self, message: ClientMessage) -> None:
        match message:
            case Authenticate():
                await self._authenticate(message)
            case SubscribeToOrders():
                await self._subscribe(self._known())
            case Ping():
                self._known()
                await self._say(type="pong")

    def _known(self) -> Identity:
        """Who this is. Raises NotAuthenticated before the client has said so: its first message must."""
        if self._identity is None:
            raise NotAuthenticated
        return self._identity

    async def _authenticate(self, message: Authenticate) -> None:
        if message.token is None:
            identity = await by_session(self._session_key)
        else:
            identity = by_token(message.token)
        await self._welcome(identity)
        self._last_event_id = message.last_event_id

    async def _welcome(self, identity: Identity) -> None:
        self._identify(identity)
        await self._say(type="connected", userId=str(identity.user_id), isStaff=identity.is_staff)

    def _identify(self, identity: Identity) -> None:
        """Take this to be the client until it expires.

        Raises NotAuthenticated where it was somebody else: only the token of a first message outweighs the
        cookie that the handshake brought. Raises TooManySockets.
        """
        if self._is_settled() and identity.rights != self._known().rights:
            raise NotAuthenticated
        self._count(identity.user_id)
        self._identity = identity
        self._set_deadline(identity.expires_at - time.time())

    def _count(self, user_id: int | None) -> None:
        """Let this socket count as one of this user's, or as nobody's."""
        if user_id == self._counted_for:
            return
        if user_id is not None:
            open_sockets.enter(user_id)
        if self._counted_for is not None:
            open_sockets.leave(self._counted_for)
        self._counted_for = user_id

    def _is_settled(self) -> bool:
        """Whether this connection is one user's for good."""
        return self._subscription is not None or (
            self._identity is not None and not self._identity.by_session
        )

    async def _subscribe(self, identity: Identity) -> None:
        if self._subscription:
            await self.send(SUBSCRIBED)
        else:
            self._subscription = Subscription(identity.user_id, identity.is_staff, self.send)
            await self._subscription.start(self._last_event_id)

    async def _say(self, **message: str | bool) -> None:
        await self.send(msgspec.json.encode(message).decode())

    async def _refuse(self, code: int) -> None:
        self._end()
        await self.close(code)

    def _end(self) -> None:
        self._is_over = True
        self._count(None)
        if self._deadline:
            self._deadline.cancel()
        if self._subscription:
            self._subscription.end()

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._on_deadline)

    def _on_deadline(self) -> None:
        self._enforcement = asyncio.create_task(self._enforce_deadline())

    async def _session_goes_on(self) -> Identity | None:
        """Whose session it is now; None where the connection has ended meanwhile. Raises NotAuthenticated."""
        identity = await by_session(self._session_key)
        return None if self._is_over else identity

    async def _enforce_deadline(self) -> None:
        """Nobody has authenticated in time, or the token has expired; only a session can go on by itself."""
        try:
            if not self._known().by_session:
                await self._refuse(NOT_AUTHENTICATED)
            elif identity := await self._session_goes_on():
                self._identify(identity)
        except NotAuthenticated:
            await self._refuse(NOT_AUTHENTICATED)
        except DatabaseUnavailable:
            await self._refuse(TRY_AGAIN_LATER)
