"""All kinds of callers of a route, and the data that a refusal must not change."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.forms.models import model_to_dict
from django.test import Client
from pymongo import MongoClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken

from orders_app.models import (
    AccountMail,
    AccountMailAddress,
    AccountName,
    MailAddressChange,
    MailPreference,
    SignIn,
)
from products_app.models import ServiceKey
from tests.orders_app.ordering import all_that_is_stored

CALLERS = ("anonymous", "owner", "other", "staff", "service key", "expired token", "forged token")
"""The columns of the table of routes."""


@dataclass
class Users:
    """The users behind the callers."""

    owner: User
    other: User
    staff: User

    def header(self, caller: str) -> str:
        """The `Authorization` header of this caller; the last two claim to be staff."""
        headers: dict[str, Callable[[], str]] = {
            "anonymous": lambda: "",
            "owner": lambda: bearer(self.owner),
            "other": lambda: bearer(self.other),
            "staff": lambda: bearer(self.staff),
            "service key": lambda: f"Api-Key {ServiceKey.issue(name='shop')[1]}",
            "expired token": lambda: bearer(self.staff, lifetime=timedelta(seconds=-1)),
            "forged token": lambda: forged(self.staff),
        }
        return headers[caller]()


def access(user: User, lifetime: timedelta = timedelta(minutes=5)) -> AccessToken:
    """A valid access token."""
    token = AccessToken()
    token.set_exp(lifetime=lifetime)
    token.payload |= {"user_id": str(user.pk), "username": user.username, "is_staff": user.is_staff}
    return token


def bearer(user: User, **how: Any) -> str:
    return f"Bearer {access(user, **how)}"


def forged(user: User) -> str:
    """The claims of a valid token, signed with another key."""
    return f"Bearer {jwt.encode(access(user).payload, 'k' * 50, 'HS256')}"


def unsigned(user: User) -> str:
    """The claims of a valid token, without a signature."""
    return f"Bearer {jwt.encode(access(user).payload, '', 'none')}"


def send_request(client: Client, method: str, path: str, body: object, **headers: str) -> Any:
    """One request, with a JSON body where there is one, or with a text as a table in CSV."""
    content = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    return client.generic(
        method,
        f"/{path}",
        content,
        content_type="text/csv" if isinstance(body, str) else "application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items() if value},
    )


COLLECTIONS = ("products", "stock_ledger", "stock_movements")


def everything() -> list[Any]:
    """All that orders, catalogue, stock, users, tokens, keys and sessions have stored."""
    with MongoClient[dict[str, Any]](settings.MONGODB_URI) as client:
        database = client.get_default_database()
        documents = [list(database[name].find(sort=[("_id", 1)])) for name in COLLECTIONS]
    rows = [
        list(model._default_manager.order_by("pk").values())
        for model in (
            *(OutstandingToken, BlacklistedToken, SignIn, ServiceKey, Session),
            *(AccountName, AccountMailAddress, MailAddressChange, MailPreference, AccountMail),
        )
    ]
    users = [model_to_dict(user) for user in User.objects.order_by("pk")]
    return [all_that_is_stored(), documents, rows, users]
