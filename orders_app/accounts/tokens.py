"""Access and refresh tokens: what is in them, how they are made, and why one is refused."""

import time
from functools import lru_cache
from typing import Any

import jwt
from django.contrib.auth.models import User
from rest_framework_simplejwt.exceptions import ExpiredTokenError, InvalidToken, TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token
from rest_framework_simplejwt.utils import datetime_from_epoch, datetime_to_epoch

from orders_app.accounts.ended_sign_ins import ended_sign_ins
from orders_app.accounts.signing_keys import SeveralKeys, keys_in_use
from orders_app.models import SignIn

MAX_CACHED_TOKENS = 10_000
SIGN_IN = "sid"
"""The claim with the id of the sign-in, named as in OpenID Connect."""
SIGN_IN_ENDED = "The sign-in of this token has ended: sign in again."
EXPIRED = {
    AccessToken.token_type: "This access token has expired: get a new one for the refresh token.",
    RefreshToken.token_type: "This refresh token has expired: sign in again.",
}

# The more special kinds of exceptions first.
PROBLEMS: tuple[tuple[type[jwt.InvalidTokenError], str], ...] = (
    (jwt.InvalidAlgorithmError, "This {kind} token is signed in another way than this installation signs."),
    (jwt.InvalidSignatureError, "This {kind} token was not signed by this installation, or was changed."),
    (jwt.DecodeError, "This {kind} token is malformed: it is no JSON web token."),
)


class SignedAccessToken(AccessToken):
    """An access token, signed with SECRET_KEY or one of its fallbacks."""

    def get_token_backend(self) -> SeveralKeys:
        """The keys of this installation."""
        return keys_in_use()


class UncheckedRefreshToken(RefreshToken):
    """A refresh token whose signature and expiry are verified, and that may have been used before."""

    def get_token_backend(self) -> SeveralKeys:
        """The keys of this installation."""
        return keys_in_use()

    def check_blacklist(self) -> None:
        """Do nothing: the rotation has to detect the reuse of a token."""


def create_token_pair(user: User, sign_in: SignIn) -> dict[str, str]:
    """Create a refresh token and an access token of a sign-in; returns both as the endpoints answer them.

    Their claims name the user, so that no request reads the user from the database. Both expire with the
    sign-in at the latest. The library's column for the refresh token itself stores the sign-in's id instead.
    """
    refresh = RefreshToken()
    refresh["user_id"] = str(user.pk)
    refresh["username"] = user.get_username()
    refresh["is_staff"] = user.is_staff
    refresh[SIGN_IN] = sign_in.id
    refresh["exp"] = min(refresh["exp"], datetime_to_epoch(sign_in.expires_at))
    OutstandingToken.objects.create(
        user=user,
        jti=refresh["jti"],
        token=sign_in.id,
        created_at=refresh.current_time,
        expires_at=datetime_from_epoch(refresh["exp"]),
    )
    access = refresh.access_token
    access["exp"] = min(access["exp"], refresh["exp"])
    return {"refresh": str(refresh), "access": str(access)}


def read_access_token(raw_token: bytes | str) -> AccessToken:
    """The access token, if it is valid. Raises InvalidToken with the reason in words.

    Its signature is verified once and remembered; its expiry and its sign-in's end are checked each time.
    """
    try:
        token = _verified(raw_token)
    except TokenError as error:
        raise InvalidToken(reason(error, AccessToken)) from error
    if token.payload["exp"] <= time.time():
        raise InvalidToken(EXPIRED["access"])
    if token.payload.get(SIGN_IN) in ended_sign_ins.ids:
        raise InvalidToken(SIGN_IN_ENDED)
    return token


@lru_cache(MAX_CACHED_TOKENS)
def _verified(raw_token: Any) -> AccessToken:
    return SignedAccessToken(raw_token)


def read_refresh_token(raw_token: str) -> UncheckedRefreshToken:
    """The refresh token, used before or not. Raises InvalidToken with the reason in words."""
    try:
        return UncheckedRefreshToken(raw_token)  # type: ignore[arg-type]  # the stubs want a Token here
    except TokenError as error:
        raise InvalidToken(reason(error, RefreshToken)) from error


def reason(error: TokenError, expected: type[Token]) -> str:
    """Why a token is no valid one of the expected type, in words for the person who sent it."""
    kind = str(expected.token_type)
    if isinstance(error, ExpiredTokenError) or "expired" in str(error):
        return EXPIRED[kind]
    if "type" in str(error):
        return f"This is a token of another type; a token of type {kind} is needed here."
    # The library hides the reason behind two exceptions of its own.
    verification = getattr(error.__cause__, "__cause__", None)
    for problem, sentence in PROBLEMS:
        if isinstance(verification, problem):
            return sentence.format(kind=kind)
    return f"This {kind} token is not valid: {error}."
