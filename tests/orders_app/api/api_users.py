"""Users of the API and their requests."""

import json
from collections.abc import Sequence
from typing import Any, cast

import jwt
from msgspec import to_builtins
from rest_framework_simplejwt.tokens import AccessToken

from tests.orders_app import ordering
from tests.wsgi_client import WsgiClient

Json = dict[str, Any]

ADDRESS: Json = to_builtins(ordering.ADDRESS)


class ApiUser:
    """A user of the API: with a token, or anonymous."""

    def __init__(self, user_id: int | None = None, *, is_staff: bool = False) -> None:
        self.client = WsgiClient()
        self.user_id = user_id
        if user_id is not None:
            token = AccessToken()
            token.payload |= {"user_id": str(user_id), "username": f"user-{user_id}", "is_staff": is_staff}
            self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def request(self, method: str, path: str, body: object = None, headers: Json | None = None) -> Any:
        """One request under `/api/v1/`; a body of bytes is sent unchanged, any other as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            cast("str", body or b""),
            content_type="application/json",
            headers=headers,
        )


def order_body(*lines: tuple[str, int], **other: object) -> Json:
    """The body of an order of these (product id, quantity) lines."""
    items = [{"productId": product_id, "quantity": quantity} for product_id, quantity in lines]
    return {"items": items, "shippingAddress": ADDRESS, "paymentMethod": 6} | other


def claims_of(token: str) -> Json:
    """What an access or refresh token says, valid or not."""
    claims: Json = jwt.decode(token, options={"verify_signature": False})
    return claims


def attributes(response: Any) -> Sequence[str | None]:
    """The fields that the errors of an answer name."""
    assert response.json().keys() >= {"type", "errors"}, response.content
    return [error["attr"] for error in response.json()["errors"]]


def codes(response: Any) -> Sequence[str]:
    """The codes of an answer's errors."""
    return [error["code"] for error in response.json()["errors"]]
