"""`POST orders/`: who may place an order, what is sent, what is answered and refused."""

from functools import cache
from http import HTTPStatus

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from foundation.group_commit import Call
from orders_app.accounts.authentication import AccessTokenAuthentication
from orders_app.api.access import origin_of, user_id
from orders_app.api.shapes import OrderSerializer, PlaceOrder, PlaceOrderSerializer
from orders_app.exceptions import (
    IdempotencyKeyReused,
    InactiveProducts,
    PaymentsUnavailable,
    TokenNotAccepted,
    UnknownProducts,
)
from orders_app.services.place_order import PLACEMENTS, Placement, PlacementRequest
from web.bodies import field_error
from web.endpoint import Answer, Endpoint
from web.error_schema import refused
from web.idempotency import IDEMPOTENCY_KEY, idempotency_key


def _ask(request: Request | HttpRequest, body: PlaceOrder) -> PlacementRequest:
    return PlacementRequest(
        user_id=user_id(request.user),
        items=body.items,
        shipping_address=body.shipping_address.stored,
        payment_method=body.payment_method,
        idempotency_key=idempotency_key(request),
        origin=origin_of(request),
        payment_token=body.payment_token or "",
    )


def _answer(body: PlaceOrder, placing: Call[PlacementRequest, Placement]) -> Answer:
    try:
        placement = placing.result()
    except (UnknownProducts, InactiveProducts) as refusal:
        raise _wrong_products(body, refusal) from refusal
    except TokenNotAccepted as refusal:
        raise field_error("paymentToken", str(refusal), refusal.code) from refusal
    return Answer(placement.order, _headers_of(placement), placement.order.log_fields)


def _wrong_products(body: PlaceOrder, refusal: UnknownProducts | InactiveProducts) -> ValidationError:
    """The refusal as errors of the lines that name the products, in whichever case of their hex digits."""
    refused_ids = {product_id.lower() for product_id in refusal.product_ids}
    return ValidationError(
        {
            f"items.{index}.productId": [ErrorDetail(str(refusal), refusal.code)]
            for index, item in enumerate(body.items)
            if item.product_id.lower() in refused_ids
        }
    )


def _headers_of(placement: Placement) -> dict[str, str]:
    """Where the order is, and whether it was there before."""
    location = {"Location": f"{_orders_path()}{placement.order.id}/"}
    return location | ({"Idempotent-Replayed": "true"} if placement.replayed else {})


@cache
def _orders_path() -> str:
    return reverse("order-list")


PLACE_ORDER = Endpoint(
    route="api/v1/orders/",
    operation="placeOrder",
    summary="Place an order",
    tag="orders",
    parameters=(
        IDEMPOTENCY_KEY,
        OpenApiParameter(
            "Location", location=OpenApiParameter.HEADER, response=[201], description="Where the order is."
        ),
        OpenApiParameter(
            "Idempotent-Replayed",
            location=OpenApiParameter.HEADER,
            response=[201],
            description="`true` where the key was used before: this is the order of then, as it is now.",
        ),
    ),
    allow="GET, POST, HEAD, OPTIONS",
    scheme="Bearer",
    authentication=(AccessTokenAuthentication, SessionAuthentication),
    authenticates_at_once=True,
    permission=IsAuthenticated(),
    body=PlaceOrderSerializer,
    ask=_ask,
    service=PLACEMENTS,
    answer=_answer,
    status=HTTPStatus.CREATED,
    content=OrderSerializer,
    refusals={409: refused(PaymentsUnavailable()), 422: refused(IdempotencyKeyReused("a-key-of-mine"))},
)
