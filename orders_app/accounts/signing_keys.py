"""The keys that tokens are signed with: SECRET_KEY, and while it is replaced SECRET_KEY_FALLBACKS."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

_ALGORITHM = "HS256"


class SeveralKeys(TokenBackend):
    """Signs with a key, and verifies with it or with one of its fallbacks."""

    def __init__(self, key: str, fallbacks: Sequence[str]) -> None:
        super().__init__(_ALGORITHM, key)
        self._next = SeveralKeys(fallbacks[0], fallbacks[1:]) if fallbacks else None

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The claims of a token. Raises TokenBackendError, with the reason of the key that signed it."""
        try:
            return super().decode(token, verify)
        except TokenBackendError as error:
            if self._next is None or not isinstance(error.__cause__, jwt.InvalidSignatureError):
                raise
        return self._next.decode(token, verify)


@cache
def keys_in_use() -> SeveralKeys:
    """What signs the tokens of this installation, and verifies their signatures."""
    return SeveralKeys(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)
