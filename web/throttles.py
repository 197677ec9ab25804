"""How often one may ask: by address, by user, by the name that is signed in with.

The rates are settings; a rate that is off costs nothing. The counts are in the cache, which all processes
share. All doors, of the API and of pages, count sign-ins together. The address is the one of the connection,
or as many proxies before it as TRUSTED_PROXIES says.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle

from foundation.user_names import normal_form
from web.addresses import counted_address

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which loads this module

NO_VIEW = cast("APIView", None)
"""For permissions and throttles that are asked without a view: ours look at the request alone."""


def is_on(throttle: type[SimpleRateThrottle]) -> bool:
    """Whether the settings have a rate for it."""
    return bool(throttle.scope and throttle.THROTTLE_RATES.get(throttle.scope))


class CountedOnce(SimpleRateThrottle):
    """Counts a request once, although the server may ask twice: for the head alone, and with the body."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether the request is not one too many."""
        counted: set[type] = request.META.get("web.counted", set())
        if type(self) in counted:
            return True
        allowed = super().allow_request(request, view)
        counted.add(type(self))
        return allowed


class AddressThrottle(CountedOnce):
    """Requests of one address."""

    scope = "address"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        """One count an address; one for all requests that have none."""
        return self.cache_format % {"scope": self.scope, "ident": counted_address(request)}


class UserThrottle(CountedOnce, UserRateThrottle):
    """Requests of one user; of one address where nobody is signed in."""

    scope = "user"

    def get_ident(self, request: Request) -> str:
        """The address that counts."""
        return str(counted_address(request))


class RegistrationThrottle(AddressThrottle):
    """New customers from one address."""

    scope = "registration"


class LoginThrottle(AddressThrottle):
    """Attempts to sign in from one address, at any door."""

    scope = "login"


class NameThrottle(CountedOnce):
    """Requests with one user name, in any form of it, from wherever they come."""

    def name_of(self, request: Request) -> str | None:
        """The name that the request is about; one without a name is not counted here."""
        raise NotImplementedError

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """One count a name."""
        name = self.name_of(request)
        if name is None:
            return None
        digest = hashlib.sha256(normal_form(name).encode(errors="replace")).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": digest}


class LoginNameThrottle(NameThrottle):
    """Attempts to sign in with one name, at any door."""

    scope = "login_name"

    def name_of(self, request: Request) -> str | None:
        """The name in the form or body."""
        return posted_name(request)


class OwnNameThrottle(NameThrottle):
    """Attempts of a user to prove the password, counted with those to sign in with this name."""

    scope = "login_name"

    def name_of(self, request: Request) -> str | None:
        """The name of who asks."""
        return request.user.get_username() or None


def posted_name(request: Request | HttpRequest) -> str | None:
    """The user name in the form of a page or the body of a request."""
    body = request.data if isinstance(request, Request) else request.POST
    name = body.get("username") if isinstance(body, dict) else None
    return name if isinstance(name, str) else None


def require_unthrottled(request: Request, throttles: Sequence[type[SimpleRateThrottle]]) -> None:
    """Count the request. Raises Throttled where a throttle has had too many."""
    # One that is switched off costs nothing.
    counting = [throttle() for throttle in throttles if is_on(throttle)]
    refusing = [throttle for throttle in counting if not throttle.allow_request(request, NO_VIEW)]
    if refusing:
        waits = [wait for throttle in refusing if (wait := throttle.wait()) is not None]
        raise Throttled(max(waits, default=None))
