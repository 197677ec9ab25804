"""How often one may ask: by address, user and service key; by address and name where a password is proved.

The rates are settings; a rate that is off costs nothing. Requests of the API are counted in memory and shared
between processes in batches (web/rates): counting one costs microseconds and waits for nothing. What takes a
password is counted in the database, one by one, and all doors, of the API and of pages, count together. The
address is the one of the connection, or as many proxies before it as TRUSTED_PROXIES says.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from foundation.metrics import REQUESTS_THROTTLED
from foundation.rates import Rate
from foundation.user_names import normal_form
from web.addresses import counted_address
from web.rates import COUNTED
from web.rates.counts import request_counts
from web.rates.store import admit_at_once
from web.rates.table import id_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which loads this module

NO_VIEW = cast("APIView", None)
"""For permissions and throttles that are asked without a view: ours look at the request alone."""


class Throttle(BaseThrottle):
    """Limits the requests of each caller to the rate of its kind in REQUEST_RATES.

    A request is counted once, although the server may ask twice: for the head alone, and with the body.
    """

    kind: ClassVar[str]
    seconds_to_wait = 0

    def caller(self, request: Request) -> str | None:
        """By whom this kind counts the request; None where it does not count it."""
        raise NotImplementedError

    def admit(self, key: str, rate: Rate) -> float:
        """Count a request: 0 if it is let in, else the seconds after which one will be."""
        return request_counts().admit(key, rate)

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether the request is not one too many."""
        counted: set[str] = request.META.setdefault(COUNTED, set())
        if self.kind not in counted:
            counted.add(self.kind)
            self.count(request)
        return not self.seconds_to_wait

    def count(self, request: Request) -> None:
        """Count the request; where it is one too many, note how long the caller has to wait."""
        rate = self.rate()
        if rate is None or (caller := self.caller(request)) is None:
            return
        self.seconds_to_wait = math.ceil(self.admit(self.key(rate, caller), rate))
        if self.seconds_to_wait:
            REQUESTS_THROTTLED.labels(self.kind).inc()

    def wait(self) -> float | None:
        """The seconds after which a request will be let in."""
        return self.seconds_to_wait or None

    @classmethod
    def rate(cls) -> Rate | None:
        """The rate of this kind; None where it is off."""
        return settings.REQUEST_RATES[cls.kind]

    @classmethod
    def is_on(cls) -> bool:
        """Whether there is anything to count."""
        return cls.rate() is not None

    @classmethod
    def key(cls, rate: Rate, caller: str) -> str:
        """What the count of a caller is found by."""
        return f"{cls.kind}/{rate.seconds}:{caller}"


class AddressThrottle(Throttle):
    """Requests from one address, whoever sends them; one count for all requests that have none."""

    kind = "address"

    def caller(self, request: Request) -> str:
        """The address."""
        return str(counted_address(request))

    def uncount(self, request: Request) -> None:
        """The request does not count for its address after all."""
        if rate := self.rate():
            request_counts().take_back(self.key(rate, self.caller(request)), rate)


class UserThrottle(Throttle):
    """Requests of one user, from wherever they come."""

    kind = "user"

    def caller(self, request: Request) -> str | None:
        """The user who is signed in."""
        return None if request.user is None or request.user.pk is None else str(request.user.pk)


class ServiceThrottle(Throttle):
    """Requests with one service key. They do not count for the address, which many services may share."""

    kind = "service"

    def caller(self, request: Request) -> str | None:
        """The owner of the key, who stays the same when the key is rotated."""
        owner: str | None = getattr(request.auth, "owner", None)
        return owner

    @classmethod
    def is_on(cls) -> bool:
        """Whether requests count for keys or for addresses."""
        return super().is_on() or AddressThrottle.is_on()

    def count(self, request: Request) -> None:
        """Count the request for its key alone."""
        if self.caller(request) is not None:
            AddressThrottle().uncount(request)
        super().count(request)


class PasswordThrottle(Throttle):
    """Attempts to prove a password, and what else is rare: counted in the database, one by one."""

    def admit(self, key: str, rate: Rate) -> float:
        """Count an attempt: 0 if it is let in, else the seconds after which one will be."""
        return admit_at_once(id_of(key), rate, connection)


class LoginThrottle(PasswordThrottle):
    """Attempts to sign in from one address, at any door."""

    kind = "login"

    def caller(self, request: Request) -> str:
        """The address."""
        return str(counted_address(request))


class RegistrationThrottle(LoginThrottle):
    """New customers from one address."""

    kind = "registration"


class NameThrottle(PasswordThrottle):
    """Requests with one user name, in any form of it, from wherever they come."""

    def name_of(self, request: Request) -> str | None:
        """The name that the request is about; one without a name is not counted here."""
        raise NotImplementedError

    def caller(self, request: Request) -> str | None:
        """A digest of the name, which may be long and is chosen by the client."""
        name = self.name_of(request)
        return (
            None if name is None else hashlib.sha256(normal_form(name).encode(errors="replace")).hexdigest()
        )


class LoginNameThrottle(NameThrottle):
    """Attempts to sign in with one name, at any door."""

    kind = "login_name"

    def name_of(self, request: Request) -> str | None:
        """The name in the form or body."""
        return posted_name(request)


class OwnNameThrottle(NameThrottle):
    """Attempts of a user to prove the password, counted with those to sign in with this name."""

    kind = "login_name"

    def name_of(self, request: Request) -> str | None:
        """The name of who asks."""
        return request.user.get_username() or None


def posted_name(request: Request | HttpRequest) -> str | None:
    """The user name in the form of a page or the body of a request."""
    return posted_text(request, "username")


def posted_text(request: Request | HttpRequest, field: str) -> str | None:
    """The text of this field in the form of a page or the body of a request."""
    body = request.data if isinstance(request, Request) else request.POST
    text = body.get(field) if isinstance(body, dict) else None
    return text if isinstance(text, str) else None


def require_unthrottled(request: Request, throttles: Sequence[type[Throttle]]) -> None:
    """Count the request. Raises Throttled where a throttle has had too many."""
    counting = [throttle() for throttle in throttles if throttle.is_on()]
    refusing = [throttle for throttle in counting if not throttle.allow_request(request, NO_VIEW)]
    if refusing:
        raise Throttled(max(throttle.seconds_to_wait for throttle in refusing))
