"""What a request to place an order asks for, and what its answer says besides the order."""

import re
from functools import cache

from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request

from orders_app.api.access import origin_of, user_id
from orders_app.api.shapes import PlaceOrder
from orders_app.services.place_order import Placement, place_order
from web.bodies import field_error

IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def place(request: Request | HttpRequest, body: PlaceOrder) -> Placement:
    """Place the order for whoever asks. Raises ValidationError and what `place_order` raises."""
    return place_order(
        user_id=user_id(request.user),
        items=body.items,
        shipping_address=body.shipping_address,
        payment_method=body.payment_method,
        idempotency_key=idempotency_key(request),
        origin=origin_of(request),
    )


def idempotency_key(request: Request | HttpRequest) -> str | None:
    """The `Idempotency-Key` header, None without one. Raises ValidationError where it cannot be one."""
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise field_error("Idempotency-Key", "Must be 1 to 255 printable ASCII characters.", "invalid")
    return key


@cache
def orders_path() -> str:
    """Where orders are placed; each has its own path below."""
    return reverse("order-list")


def headers_of(placement: Placement) -> dict[str, str]:
    """Where the order is, and whether it was there before."""
    location = {"Location": f"{orders_path()}{placement.order.id}/"}
    return location | ({"Idempotent-Replayed": "true"} if placement.replayed else {})
