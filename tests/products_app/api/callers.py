"""Who calls the products' routes, and what they are told."""

from typing import Any

from rest_framework_simplejwt.tokens import AccessToken

from products_app.models import ServiceKey
from tests.front_door import FrontDoor

PRODUCTS = "/api/v1/products/"
Json = dict[str, Any]
Answer = Any  # a response, to which the test client adds json()


def user(*, is_staff: bool) -> FrontDoor:
    """Somebody with an access token."""
    token = AccessToken()
    token["user_id"], token["username"], token["is_staff"] = "7", "somebody", is_staff
    return FrontDoor(HTTP_AUTHORIZATION=f"Bearer {token}")


def service() -> FrontDoor:
    """A service with an API key of its own."""
    _, key = ServiceKey.issue(name="service")
    return FrontDoor(HTTP_AUTHORIZATION=f"Api-Key {key}")


def error_of(response: Answer) -> tuple[int, str, str | None]:
    """Status, code and field of the one error of a response in the form of all errors."""
    body = response.json()
    (error,) = body["errors"]
    assert body["type"] in {"client_error", "validation_error", "server_error"}
    assert error["detail"]
    return response.status_code, error["code"], error["attr"]
