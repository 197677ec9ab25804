"""Authenticates the client of a socket by its access token or by a browser's session."""

import time
from collections.abc import Iterable
from importlib import import_module
from typing import Any, NamedTuple

from channels.auth import get_user
from django.conf import settings
from django.http import parse_cookie
from rest_framework_simplejwt import settings as jwt_settings
from rest_framework_simplejwt.exceptions import InvalidToken

from orders_app.accounts.ended_sign_ins import (
    ANY_SESSION,
    topic_of_session,
    topic_of_sign_in,
    topic_of_user,
)
from orders_app.accounts.tokens import SIGN_IN, read_access_token


class NotAuthenticated(Exception):
    """Neither a valid access token nor a session identifies the client."""


class Identity(NamedTuple):
    """The authenticated user; valid until `expires_at`, in seconds since 1970.

    `topics` are the ends that concern it, as `ended_sign_ins` tells them.
    """

    user_id: int
    is_staff: bool
    expires_at: float
    topics: tuple[str, ...]
    is_from_session: bool = False

    @property
    def rights(self) -> tuple[int, bool]:
        """The user and the staff flag, which decide about which orders the socket is sent messages."""
        return self.user_id, self.is_staff


def identify_by_token(token: object) -> Identity:
    """The user of an access token, until the token expires. Raises NotAuthenticated unless it is valid."""
    if not isinstance(token, str):
        raise NotAuthenticated
    try:
        claims = read_access_token(token)
        topics = (topic_of_sign_in(claims.get(SIGN_IN, "")),)
        return Identity(int(claims["user_id"]), bool(claims.get("is_staff")), claims["exp"], topics)
    except (InvalidToken, KeyError, ValueError) as error:
        raise NotAuthenticated from error


async def identify_by_session(key: str) -> Identity:
    """The user logged in with this session; the identity expires no later than an access token would.

    Raises NotAuthenticated if no user is logged in.
    """
    session = _session_store(key)
    user = await get_user({"session": session})
    if not user.is_authenticated:
        raise NotAuthenticated
    lifetime = min(session.get_expiry_age(), jwt_settings.api_settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    topics = (ANY_SESSION, topic_of_session(key), topic_of_user(user.pk))
    return Identity(user.pk, user.is_staff, time.time() + lifetime, topics, is_from_session=True)


def session_key(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The session key in the cookies of a handshake; empty if there is none."""
    for name, value in headers:
        if name == b"cookie":
            return parse_cookie(value.decode("latin1")).get(settings.SESSION_COOKIE_NAME, "")
    return ""


def _session_store(key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)
