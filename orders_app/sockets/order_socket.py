"""The socket at `/ws/orders/`: a client authenticates, subscribes, and is sent messages about orders."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseUnavailable

from foundation.metrics import SOCKETS_CLOSED
from orders_app.sockets.client_messages import (
    Authenticate,
    ClientMessage,
    InvalidClientMessage,
    Ping,
    SubscribeToOrders,
    decode,
)
from orders_app.sockets.identity import (
    Identity,
    NotAuthenticated,
    identify_by_session,
    identify_by_token,
    session_key,
)
from orders_app.sockets.open_sockets import open_sockets
from orders_app.sockets.socket_counts import TooManySockets, socket_counts
from orders_app.sockets.subscription import SUBSCRIBED, Subscription

AUTHENTICATION_SECONDS = 5
MAX_MESSAGE_BYTES = 64 * 1024
MAX_MESSAGES = 100
RATE_SECONDS = 10

NOT_AUTHENTICATED = 4401
BAD_MESSAGE = 4400
LIMIT_EXCEEDED = 4429
# In place of the standard codes 1009 and 1013, which daphne does not let an application send.
MESSAGE_TOO_BIG = 4009
TRY_AGAIN_LATER = 4013
END_BY_CLIENT = "client"
ENDS: Mapping[int, str] = {
    NOT_AUTHENTICATED: "not_authenticated",
    BAD_MESSAGE: "bad_message",
    LIMIT_EXCEEDED: "limit",
    MESSAGE_TOO_BIG: "too_big",
    TRY_AGAIN_LATER: "unavailable",
}
"""The codes with which the server closes a connection, and their names in the metric."""


class OrderSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One connection. Its client's messages are handled one after another.

    While a message awaits something, the deadline may pass and the feed may send.
    """

    def __init__(self) -> None:
        super().__init__()
        self._identity: Identity | None = None
        self._session_key = ""
        self._last_event_id: str | None = None
        self._subscription: Subscription | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._checks: set[asyncio.Task[None]] = set()
        self._counted_user_id: int | None = None
        self._rate_start = 0.0
        self._rate_messages = 0
        self._has_ended = False
        self._end = END_BY_CLIENT

    async def __call__(self, *connection: Any) -> None:
        """Serve one connection, and free its resources however it ends."""
        try:
            await super().__call__(*connection)
        finally:
            self._clean_up()
            SOCKETS_CLOSED.labels(self._end).inc()

    async def connect(self) -> None:
        """Accept the connection and authenticate the client by its session cookie, if there is one.

        A connection that will be closed is accepted first: a browser does not tell a page why a handshake
        was refused, but does tell it the close code.
        """
        await self.accept()
        if self.scope["query_string"]:
            detail = "This address takes no query: the token goes into the first message."
            await self._send_message(type="error", code="no_query", detail=detail)
            await self._close_with(BAD_MESSAGE)
            return
        self._set_deadline(AUTHENTICATION_SECONDS)
        self._session_key = session_key(self.scope["headers"])
        if not self._session_key:
            return
        try:
            await self._confirm_identity(await identify_by_session(self._session_key))
        except NotAuthenticated:
            pass  # the client may still send a token
        except TooManySockets:
            await self._close_with(LIMIT_EXCEEDED)
        except DatabaseUnavailable:
            await self._close_with(TRY_AGAIN_LATER)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one message of the client; close the connection if it breaks a limit."""
        payload = (text_data or "").encode() or bytes_data or b""
        if self._has_ended:
            return
        if len(payload) > MAX_MESSAGE_BYTES:
            await self._close_with(MESSAGE_TOO_BIG)
            return
        if self._exceeds_rate():
            await self._close_with(LIMIT_EXCEEDED)
            return
        try:
            await self._handle(payload)
        except NotAuthenticated:
            await self._close_with(NOT_AUTHENTICATED)
        except TooManySockets:
            await self._close_with(LIMIT_EXCEEDED)
        except DatabaseUnavailable:
            await self._close_with(TRY_AGAIN_LATER)

    def _exceeds_rate(self) -> bool:
        """Count a message; returns whether the client has sent more than MAX_MESSAGES in RATE_SECONDS."""
        now = time.monotonic()
        if now - self._rate_start > RATE_SECONDS:
            self._rate_start, self._rate_messages = now, 0
        self._rate_messages += 1
        return self._rate_messages > MAX_MESSAGES

    async def _handle(self, payload: bytes) -> None:
        try:
            message = decode(payload)
            await self._dispatch(message)
        except InvalidClientMessage as error:
            await self._send_message(type="error", code=error.code, detail=error.detail)
            if self._identity is None:
                await self._close_with(BAD_MESSAGE)

    async def _dispatch(self, message: ClientMessage) -> None:
        match message:
            case Authenticate():
                await self._authenticate(message)
            case SubscribeToOrders():
                await self._subscribe(self._identity_for("subscribe:orders"))
            case Ping():
                self._identity_for("ping")
                await self._send_message(type="pong")

    def _require_identity(self) -> Identity:
        """The client's identity. Raises NotAuthenticated if it has none yet."""
        if self._identity is None:
            raise NotAuthenticated
        return self._identity

    def _identity_for(self, message_type: str) -> Identity:
        """The client's identity. Raises InvalidClientMessage if this message came before it authenticated."""
        if self._identity is None:
            detail = f"Send authenticate with an access token first; {message_type} comes after it."
            raise InvalidClientMessage("authenticate_first", detail)
        return self._identity

    async def _authenticate(self, message: Authenticate) -> None:
        if message.token is None:
            identity = await identify_by_session(self._session_key)
        else:
            identity = identify_by_token(message.token)
        await self._confirm_identity(identity)
        self._last_event_id = message.last_event_id

    async def _confirm_identity(self, identity: Identity) -> None:
        self._set_identity(identity)
        await self._send_message(type="connected", userId=str(identity.user_id), isStaff=identity.is_staff)

    def _set_identity(self, identity: Identity) -> None:
        """Set the client's identity, and the deadline to its expiry.

        Raises NotAuthenticated if the connection belongs to another user already. Only the token of the first
        message may replace the identity that the session cookie gave. Raises TooManySockets.
        """
        if self._is_identity_final() and identity.rights != self._require_identity().rights:
            raise NotAuthenticated
        self._count_for(identity.user_id)
        self._leave_topics()
        open_sockets.add(self, identity.topics)
        self._identity = identity
        self._set_deadline(identity.expires_at - time.time())

    def _leave_topics(self) -> None:
        if self._identity:
            open_sockets.remove(self, self._identity.topics)

    def _count_for(self, user_id: int | None) -> None:
        """Count this socket for this user and no longer for the previous one; None counts it for nobody."""
        if user_id == self._counted_user_id:
            return
        if user_id is not None:
            socket_counts.add(user_id)
        if self._counted_user_id is not None:
            socket_counts.remove(self._counted_user_id)
        self._counted_user_id = user_id

    def _is_identity_final(self) -> bool:
        """Whether the user of this connection can no longer change."""
        return self._subscription is not None or (
            self._identity is not None and not self._identity.is_from_session
        )

    async def _subscribe(self, identity: Identity) -> None:
        if self._subscription:
            await self.send(SUBSCRIBED)
        else:
            self._subscription = Subscription(identity.user_id, identity.is_staff, self.send)
            await self._subscription.start(self._last_event_id)

    async def _send_message(self, **message: str | bool) -> None:
        await self.send(msgspec.json.encode(message).decode())

    async def _close_with(self, code: int) -> None:
        self._end = ENDS[code]
        self._clean_up()
        await self.close(code)

    def _clean_up(self) -> None:
        self._has_ended = True
        self._count_for(None)
        self._leave_topics()
        if self._deadline:
            self._deadline.cancel()
        if self._subscription:
            self._subscription.end()

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.check_identity)

    def check_identity(self) -> None:
        """Close the connection, unless a session still authenticates the client.

        Called when the client has not authenticated in time, when its identity expires, and when its sign-in
        or session may have ended.
        """
        check = asyncio.create_task(self._check_identity())
        self._checks.add(check)  # the event loop itself does not keep it
        check.add_done_callback(self._checks.discard)

    async def _renew_session_identity(self) -> Identity | None:
        """The session's current identity; None if the connection ended meanwhile. Raises NotAuthenticated."""
        identity = await identify_by_session(self._session_key)
        return None if self._has_ended else identity

    async def _check_identity(self) -> None:
        try:
            if not self._require_identity().is_from_session:
                await self._close_with(NOT_AUTHENTICATED)
            elif identity := await self._renew_session_identity():
                self._set_identity(identity)
        except NotAuthenticated:
            await self._close_with(NOT_AUTHENTICATED)
        except DatabaseUnavailable:
            await self._close_with(TRY_AGAIN_LATER)
