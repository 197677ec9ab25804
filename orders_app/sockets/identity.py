"""Who is at the other end of a socket: the user of an access token, or of a browser's session."""

import time
from collections.abc import Iterable
from importlib import import_module
from typing import Any, NamedTuple

from channels.auth import get_user
from django.conf import settings
from django.http import parse_cookie
from rest_framework_simplejwt import settings as jwt_settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken


class NotAuthenticated(Exception):
    """Neither a token nor a session says who this is."""


class Identity(NamedTuple):
    """A user, known until `expires_at` (seconds since 1970)."""

    user_id: int
    is_staff: bool
    expires_at: float
    by_session: bool = False

    @property
    def rights(self) -> tuple[int, bool]:
        """What decides which orders they hear of."""
        return self.user_id, self.is_staff


def by_token(token: str) -> Identity:
    """The user of an access token, until it expires. Raises NotAuthenticated where it is not valid now."""
    try:
        claims = AccessToken(token)  # type: ignore[arg-type]  # text as well as bytes
        return Identity(int(claims["user_id"]), bool(claims.get("is_staff")), claims["exp"])
    except (TokenError, KeyError, ValueError) as error:
        raise NotAuthenticated from error


async def by_session(key: str) -> Identity:
    """The user logged in with this session, to be asked for again when an access token would have expired.

    Raises NotAuthenticated where nobody is.
    """
    session = _session_store(key)
    user = await get_user({"session": session})
    if not user.is_authenticated:
        raise NotAuthenticated
    known_for = min(session.get_expiry_age(), jwt_settings.api_settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    return Identity(user.pk, user.is_staff, time.time() + known_for, by_session=True)


def session_key(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The session cookie among the headers of a handshake, or nothing."""
    for name, value in headers:
        if name == b"cookie":
            return parse_cookie(value.decode("latin1")).get(settings.SESSION_COOKIE_NAME, "")
    return ""


def _session_store(key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)
