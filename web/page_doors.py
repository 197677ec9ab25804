"""The pages at which somebody signs in, or proves who they are: they count like the API's doors."""

import math
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from foundation.user_names import UnsoundName, require_sound
from web.error_pages import error_page
from web.throttles import (
    LoginNameThrottle,
    LoginThrottle,
    OwnNameThrottle,
    RegistrationThrottle,
    Throttle,
    posted_name,
    require_unthrottled,
)

Page = Callable[..., HttpResponseBase]


def log_in_page(page: Page) -> Page:
    """The page, whose form has a user name: 400 for a name that nobody can have, 429 above LOGIN_RATE."""

    @wraps(page)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            require_sound(posted_name(request) or "")
        except UnsoundName as problem:
            return error_page(request, HTTPStatus.BAD_REQUEST, str(problem))
        return page(request, *args, **kwargs)

    return name_page(door)


def name_page(page: Page) -> Page:
    """The page, whose form has a user name that it checks itself: 429 above LOGIN_RATE."""
    return limited_page(page, LoginThrottle, LoginNameThrottle)


def registration_page(page: Page) -> Page:
    """The page, which makes accounts: 429 above REGISTRATION_RATE or LOGIN_RATE."""
    return limited_page(page, RegistrationThrottle, LoginThrottle, LoginNameThrottle)


def own_password_page(page: Page) -> Page:
    """The page, whose form has the password of who asks: 429 above LOGIN_RATE."""
    return limited_page(page, LoginThrottle, OwnNameThrottle)


def link_page(page: Page) -> Page:
    """The page, which links in mails open: 429 above LOGIN_RATE."""
    return limited_page(page, LoginThrottle)


def limited_page(page: Page, *throttles: type[Throttle]) -> Page:
    """The page; each form that is sent counts for these throttles: 429 where one has had too many."""

    @wraps(page)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if request.method == "POST":
                require_unthrottled(cast("Request", request), throttles)
        except Throttled as refusal:
            wait = getattr(refusal, "wait", None)
            headers = {"Retry-After": str(math.ceil(wait))} if wait else {}
            return error_page(request, HTTPStatus.TOO_MANY_REQUESTS, str(refusal.detail), headers)
        return page(request, *args, **kwargs)

    return door
