"""Passwords: checked for every endpoint, and changed."""

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from orders_app.accounts.sign_ins import NO_ACCOUNT


class LockedOut(Throttled):
    """Too many failed sign-ins with this user name from this address."""

    default_detail = "Too many failed attempts to sign in. Try again later."
    default_code = "locked_out"
    extra_detail_singular = extra_detail_plural = ""


def check_password(request: Request, name: str, password: str) -> User:
    """The user with this name and password.

    Raises AuthenticationFailed where there is none, and LockedOut after too many failures.
    """
    user = authenticate(request, username=name, password=password)
    if user is None and getattr(request, "axes_locked_out", False):
        raise LockedOut(settings.LOGIN_LOCK_MINUTES * 60)
    if user is None:
        raise AuthenticationFailed(NO_ACCOUNT, "no_active_account")
    return user


def change_password(*, user: User, password: str) -> None:
    """Give the user another password, which ends all sign-ins and sessions (migration 0004, and Django)."""
    user.set_password(password)
    user.save(update_fields=["password"])
