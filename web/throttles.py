"""How often one may ask: by address, by user, by the name that is signed in with.

The rates are settings; a rate that is off costs nothing. The counts are in the cache, which all processes
share. The address is the one of the connection, or as many proxies before it as TRUSTED_PROXIES says.
"""

import hashlib
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which loads this module


def is_on(throttle: type[SimpleRateThrottle]) -> bool:
    """Whether the settings have a rate for it."""
    return bool(throttle.scope and throttle.THROTTLE_RATES.get(throttle.scope))


class AddressThrottle(SimpleRateThrottle):
    """Requests of one address."""

    scope = "address"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        """One count an address."""
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class UserThrottle(UserRateThrottle):
    """Requests of one user; of one address where nobody is signed in."""

    scope = "user"


class RegistrationThrottle(AddressThrottle):
    """New customers from one address."""

    scope = "registration"


class LoginThrottle(AddressThrottle):
    """Attempts to sign in from one address."""

    scope = "login"


class LoginNameThrottle(SimpleRateThrottle):
    """Attempts to sign in with one name, from wherever they come."""

    scope = "login_name"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """One count a name; a body without one is not counted here."""
        name = request.data.get("username") if isinstance(request.data, dict) else None
        if not isinstance(name, str):
            return None
        digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": digest}
