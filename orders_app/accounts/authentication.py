"""Who asks, by an access token; each token's signature is checked once, its end on every request."""

from functools import lru_cache

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import aware_utcnow

TOKENS_REMEMBERED = 10_000


class AccessTokenAuthentication(JWTStatelessUserAuthentication):
    """`Authorization: Bearer <access token>`; what the token says of its user is believed until it ends."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """The token's claims. Raises InvalidToken."""
        try:
            token = _verified(raw_token)
            token.check_exp(current_time=aware_utcnow())
        except TokenError:
            return super().get_validated_token(raw_token)  # which says what is wrong with it
        return token


@lru_cache(TOKENS_REMEMBERED)
def _verified(raw_token: bytes) -> AccessToken:
    return AccessToken(raw_token)  # type: ignore[arg-type]  # the stubs want a Token here


class AccessTokenScheme(SimpleJWTScheme):
    """The token in the OpenAPI schema."""

    target_class = "orders_app.accounts.authentication.AccessTokenAuthentication"
