"""Authenticates requests by access token."""

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed
from rest_framework_simplejwt.tokens import Token

from orders_app.accounts.tokens import read_access_token

SCHEME = b"bearer"


class AccessTokenAuthentication(JWTStatelessUserAuthentication):
    """`Authorization: Bearer <access token>`. The claims name the user; the database is not asked."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        """The token after the scheme, which may be in capitals or not (RFC 9110); None for another scheme.

        Raises AuthenticationFailed unless one token follows.
        """
        scheme, *tokens = header.split()[:3] or [b""]
        if scheme.lower() != SCHEME:
            return None
        if len(tokens) != 1:
            raise AuthenticationFailed("One access token must follow Bearer.", "bad_authorization_header")
        return tokens[0]

    def get_validated_token(self, raw_token: bytes) -> Token:
        """The verified token. Raises InvalidToken."""
        return read_access_token(raw_token)


class AccessTokenScheme(SimpleJWTScheme):
    """Describes the access token in the OpenAPI schema."""

    target_class = "orders_app.accounts.authentication.AccessTokenAuthentication"
