"""Authenticates requests by access token.

The signature of a token is verified once and cached; its expiry is checked on every request.
"""

from functools import lru_cache

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import aware_utcnow

MAX_CACHED_TOKENS = 10_000


class AccessTokenAuthentication(JWTStatelessUserAuthentication):
    """`Authorization: Bearer <access token>`. The claims name the user; the database is not asked."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """The verified token. Raises InvalidToken."""
        try:
            token = _verify(raw_token)
            token.check_exp(current_time=aware_utcnow())
        except TokenError:
            return super().get_validated_token(raw_token)  # raises InvalidToken with the reason
        return token


@lru_cache(MAX_CACHED_TOKENS)
def _verify(raw_token: bytes) -> AccessToken:
    return AccessToken(raw_token)  # type: ignore[arg-type]  # the stubs want a Token here


class AccessTokenScheme(SimpleJWTScheme):
    """Describes the access token in the OpenAPI schema."""

    target_class = "orders_app.accounts.authentication.AccessTokenAuthentication"
