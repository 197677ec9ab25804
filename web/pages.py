"""What all our pages share: the language and zone of the viewer, headers, sign-in, and pages for errors.

A view becomes a page by one of the decorators `public_page`, `signed_in_page` and `staff_page`.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext

from foundation.refusals import Kind, Refusal
from web.error_pages import error_page
from web.errors import OUTAGES, RETRY_AFTER_SECONDS
from web.no_store import forbid_storing
from web.page_doors import limited_page
from web.page_language import in_language_of
from web.socket_address import sockets_origin
from web.throttles import UserThrottle
from web.viewer_zone import zone_of

Page = Callable[..., HttpResponseBase]


def public_page(view: Page) -> Page:
    """A page for everybody.

    Errors become pages: a refusal of the kind NOT_FOUND and Http404 a 404, PermissionDenied a 403, a
    dependency that is down a 503. The view handles all other refusals.
    """

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        def respond() -> HttpResponseBase:
            with timezone.override(zone_of(request)):
                return _answer(view, request, *args, **kwargs)

        response = in_language_of(request, respond)
        _add_headers(request, response)
        return response

    return page


def signed_in_page(view: Page) -> Page:
    """A page for users who are signed in; others are sent to sign in, and then back.

    Each form that a user sends counts for USER_RATE, together with their requests of the API.
    """
    limited = limited_page(view, UserThrottle)

    @public_page
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return limited(request, *args, **kwargs)

    return page


def staff_page(view: Page) -> Page:
    """A page for staff; other users get a 403 that says so."""

    @signed_in_page
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_staff:
            return _not_for(request)
        return view(request, *args, **kwargs)

    return page


def _not_for(request: HttpRequest) -> HttpResponse:
    sentence = gettext("This page is for people who work here, and %(user)s is a customer's account.")
    return error_page(
        request, HTTPStatus.FORBIDDEN, sentence % {"user": cast("Any", request.user).get_username()}
    )


def _answer(view: Page, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        response = view(request, *args, **kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.render()
    except Http404:
        return error_page(request, HTTPStatus.NOT_FOUND)
    except PermissionDenied as refusal:
        return error_page(request, HTTPStatus.FORBIDDEN, str(refusal))
    except OUTAGES:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    except Refusal as refusal:
        if refusal.kind is not Kind.NOT_FOUND:
            raise
        return error_page(request, HTTPStatus.NOT_FOUND)
    return response


def _add_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Keep pages that are made for one person out of caches, and let pages connect to the sockets."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        forbid_storing(response)
    elif not response.has_header("Cache-Control"):
        response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    response._csp_update = {"connect-src": [sockets_origin(request)]}  # type: ignore[attr-defined]  # noqa: SLF001 - as django-csp's decorators do
