"""The pages at which somebody signs in, or proves who they are: they count like the API's doors."""

import math
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from foundation.user_names import UnsoundName, require_sound
from web.no_store import NO_STORE
from web.throttles import (
    LoginNameThrottle,
    LoginThrottle,
    OwnNameThrottle,
    Throttle,
    posted_name,
    require_unthrottled,
)

Page = Callable[..., HttpResponseBase]


def log_in_page(page: Page) -> Page:
    """The page, whose form has a user name: 400 for a name that nobody can have, 429 above LOGIN_RATE."""
    return _door(page, LoginThrottle, LoginNameThrottle)


def own_password_page(page: Page) -> Page:
    """The page, whose form has the password of who asks: 429 above LOGIN_RATE."""
    return _door(page, LoginThrottle, OwnNameThrottle)


def link_page(page: Page) -> Page:
    """The page, which links in mails open: 429 above LOGIN_RATE."""
    return _door(page, LoginThrottle)


def _door(page: Page, *throttles: type[Throttle]) -> Page:
    @wraps(page)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            if request.method == "POST":
                require_sound(posted_name(request) or "")
                require_unthrottled(cast("Request", request), throttles)
        except UnsoundName as problem:
            return _refusal(HTTPStatus.BAD_REQUEST, str(problem))
        except Throttled as refusal:
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS, str(refusal.detail), getattr(refusal, "wait", None))
        return page(request, *args, **kwargs)

    return door


def _refusal(status: HTTPStatus, sentence: str, wait: float | None = None) -> HttpResponse:
    headers = NO_STORE | ({"Retry-After": str(math.ceil(wait))} if wait else {})
    return HttpResponse(sentence, "text/plain; charset=utf-8", status, headers=headers)
