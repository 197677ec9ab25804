"""The callers of the product endpoints, and the parts of an error."""

from typing import Any

from rest_framework_simplejwt.tokens import AccessToken

from products_app.models import ServiceKey
from tests.wsgi_client import WsgiClient

PRODUCTS = "/api/v1/products/"
Json = dict[str, Any]
Answer = Any  # a response, to which the test client adds json()


def user(*, is_staff: bool) -> WsgiClient:
    """A client with an access token."""
    token = AccessToken()
    token["user_id"], token["username"], token["is_staff"] = "7", "user-7", is_staff
    return WsgiClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def service() -> WsgiClient:
    """A client with a new service key."""
    _, key = ServiceKey.issue(name="service")
    return WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {key}")


def error_of(response: Answer) -> tuple[int, str, str | None]:
    """Status, code and field of the one error of a response in the form of all errors."""
    body = response.json()
    (error,) = body["errors"]
    assert body["type"] in {"client_error", "validation_error", "server_error"}
    assert error["detail"]
    return response.status_code, error["code"], error["attr"]
