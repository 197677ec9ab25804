"""The routes of orders in the OpenAPI schema: names, words and examples."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from orders_app.api.shapes import (
    CancelOrderSerializer,
    ChangeStatusSerializer,
    EditOrderSerializer,
    OrderEventSerializer,
    OrderSerializer,
    PlaceOrderSerializer,
    StatusSerializer,
)
from orders_app.exceptions import (
    IdempotencyKeyReused,
    OrderError,
    OrderNotDeletable,
    OrderNotEditable,
    TransitionNotAllowed,
)
from orders_app.state_machine import TRANSITIONS, OrderStatus
from web.struct_schema import COMPONENTS, StructSerializer

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters. The same key again gives the same order again.",
)
LOCATION = OpenApiParameter(
    "Location", location=OpenApiParameter.HEADER, response=[201], description="Where the order is."
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    location=OpenApiParameter.HEADER,
    response=[201],
    description="`true` where the key was used before: this is the order of then, as it is now.",
)


def route(
    operation_id: str, summary: str, answer: Any, body: type[StructSerializer] | None = None, **more: Any
) -> Any:
    """The schema of one route."""
    if body:
        more["examples"] = [OpenApiExample(summary, body.example, request_only=True)]
    return extend_schema(
        operation_id=operation_id, summary=summary, responses=answer, request=body, tags=["orders"], **more
    )


def refused(refusal: OrderError, **facts: Any) -> OpenApiResponse:
    """An answer that the route gives besides the general errors, by an example."""
    error = {"code": refusal.code, "detail": str(refusal), "attr": None}
    example = {"type": "client_error", "errors": [error], **facts}
    return OpenApiResponse(
        {"$ref": f"{COMPONENTS}Error"},
        str(refusal),
        [OpenApiExample(refusal.code, example, response_only=True)],
    )


FINAL_STEP = refused(
    TransitionNotAllowed(OrderStatus.PENDING, OrderStatus.DELIVERED),
    allowedTransitions=list(TRANSITIONS[OrderStatus.PENDING]),
)

described = extend_schema_view(
    list=route("listOrders", "Own orders; for staff, everyone's", OrderSerializer(many=True)),
    create=route(
        "placeOrder",
        "Place an order",
        {201: OrderSerializer, 422: refused(IdempotencyKeyReused("a-key-of-mine"))},
        PlaceOrderSerializer,
        parameters=[IDEMPOTENCY_KEY, LOCATION, REPLAYED],
    ),
    retrieve=route("getOrder", "One order", OrderSerializer),
    partial_update=route(
        "editOrder",
        "Correct the address, or set the tracking number",
        {200: OrderSerializer, 409: refused(OrderNotEditable("shippingAddress", OrderStatus.SHIPPED))},
        EditOrderSerializer,
    ),
    destroy=route(
        "deleteOrder",
        "Remove an order that has come to its end",
        {204: None, 422: refused(OrderNotDeletable(OrderStatus.PROCESSING))},
    ),
    cancel=route(
        "cancelOrder", "Cancel an order", {200: OrderSerializer, 409: FINAL_STEP}, CancelOrderSerializer
    ),
    change_status=route(
        "changeOrderStatus",
        "Move an order one step",
        {200: OrderSerializer, 409: FINAL_STEP},
        ChangeStatusSerializer,
    ),
    history=route(
        "getOrderHistory", "All that happened to an order", OrderEventSerializer(many=True), filters=False
    ),
    of_user=route("listOrdersOfUser", "The orders of one user", OrderSerializer(many=True)),
    statuses=route("listOrderStatuses", "Every status and what may follow it", StatusSerializer(many=True)),
)
