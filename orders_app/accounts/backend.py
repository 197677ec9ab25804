"""Checks a name and a password, for every door."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from orders_app.accounts.names import find_user


class AccountBackend(ModelBackend):
    """Django's backend, which finds the user by the normal form of the name."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The user; None where the name or the password is wrong, or the user is not active."""
        user = find_user(username) if username else None
        # Nobody has an empty name; the backend then takes as long as for a wrong password.
        return super().authenticate(request, user.username if user else "", password, **kwargs)
