"""The lock-out after wrong passwords (django-axes), which counts by the normal form of the name."""

from http import HTTPStatus
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from foundation.user_names import normal_form
from web.error_pages import error_page


def counted_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """AXES_USERNAME_CALLABLE: the name for which wrong passwords are counted."""
    name = (credentials or {}).get("username")
    return normal_form(name) if isinstance(name, str) else None


def locked_out_page(request: HttpRequest, answer: HttpResponse, *_: Any) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE: what a page answers after too many wrong passwords.

    The answer of the page itself where it says so, which its status tells.
    """
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return answer
    sentence = gettext("Too many failed attempts to sign in. Try again in %(minutes)s minutes.")
    headers = {"Retry-After": str(settings.LOGIN_LOCK_MINUTES * 60)}
    minutes = {"minutes": settings.LOGIN_LOCK_MINUTES}
    return error_page(request, HTTPStatus.TOO_MANY_REQUESTS, sentence % minutes, headers)


class NormalNameHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Makes `manage.py axes_reset_username` find a name in any form."""

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        """Forget the wrong passwords for this name, from this address; returns how many entries that were."""
        name = normal_form(username) if username else None
        count: int = super().reset_attempts(
            ip_address=ip_address, username=name, ip_or_username=ip_or_username
        )
        return count
