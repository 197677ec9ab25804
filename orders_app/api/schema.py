"""The routes of orders in the OpenAPI schema: names, words and examples."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from orders_app.api.access import NOT_OWN
from orders_app.api.asked_version import PARAMETERS
from orders_app.api.payment_shapes import (
    OrderPaymentsSerializer,
    PayOrderSerializer,
    RefundOrderSerializer,
)
from orders_app.api.place_order import PLACE_ORDER
from orders_app.api.shapes import (
    CancelOrderSerializer,
    ChangeStatusSerializer,
    EditOrderSerializer,
    HistoryEntrySerializer,
    OrderSerializer,
    StatusSerializer,
)
from orders_app.exceptions import (
    IdempotencyKeyReused,
    OrderNotDeletable,
    OrderNotEditable,
    OrderNotPayable,
    PaymentPending,
    PaymentUnderWay,
    RefundTooLarge,
    StockPending,
    TransitionNotAllowed,
    VersionNotReadable,
)
from orders_app.state_machine import OrderStatus
from web.endpoint_view import documented
from web.error_schema import ERROR, refused, refused_example
from web.idempotency import IDEMPOTENCY_KEY
from web.struct_schema import StructSerializer


def route(
    operation_id: str, summary: str, answer: Any, body: type[StructSerializer] | None = None, **more: Any
) -> Any:
    """The schema of one route."""
    if body:
        more["examples"] = [OpenApiExample(summary, body.example, request_only=True)]
    return extend_schema(
        operation_id=operation_id, summary=summary, responses=answer, request=body, tags=["orders"], **more
    )


EXAMPLE_ID = UUID("019b7e2a-0b1c-7d3e-8f40-0123456789ab")
STEP_REFUSED = OpenApiResponse(
    ERROR,
    "There is no such transition (`allowedTransitions` has those that there are); or the order would go on "
    "without its stock or its payment.",
    [
        refused_example(refusal)
        for refusal in (
            TransitionNotAllowed(OrderStatus.PENDING, OrderStatus.DELIVERED),
            StockPending(OrderStatus.PROCESSING),
            PaymentPending(OrderStatus.PROCESSING),
        )
    ],
)
NOT_PAYABLE = OpenApiResponse(
    ERROR,
    "The order cannot be paid: it is cancelled, paid or paid on delivery; another token is being charged; or "
    "this installation takes no payments.",
    [refused_example(refusal) for refusal in (OrderNotPayable("it is cancelled"), PaymentUnderWay())],
)
NOT_REFUNDABLE = OpenApiResponse(
    ERROR,
    "Nothing was paid through the gateway; or less is left of it than the amount (`refundableAmount`).",
    [refused_example(RefundTooLarge(Decimal("12.50"), "USD"))],
)
FINAL_STEP = refused(TransitionNotAllowed(OrderStatus.PENDING, OrderStatus.DELIVERED))

described = extend_schema_view(
    list=route("listOrders", "Own orders; for staff, everyone's", OrderSerializer(many=True)),
    create=documented(
        PLACE_ORDER, "Take an order at once; whether its stock could be reserved shows in it moments later."
    ),
    retrieve=route(
        "getOrder",
        "One order, as it is or as it was",
        {
            200: OrderSerializer,
            400: OpenApiResponse(
                ERROR, "`version` is no number from 1 on, or `at` no time; or both are given."
            ),
            422: refused(VersionNotReadable(EXAMPLE_ID, 3)),
        },
        parameters=PARAMETERS,
    ),
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
        {200: OrderSerializer, 409: STEP_REFUSED},
        ChangeStatusSerializer,
    ),
    pay=route(
        "payOrder",
        "Pay an order",
        {202: OrderSerializer, 403: OpenApiResponse(ERROR, NOT_OWN), 409: NOT_PAYABLE},
        PayOrderSerializer,
        description="The token is charged as soon as the stock is reserved. The same token again, while it "
        "waits or is being charged, is the same payment.",
    ),
    refund=route(
        "refundOrder",
        "Give money back",
        {202: OrderSerializer, 409: NOT_REFUNDABLE, 422: refused(IdempotencyKeyReused("a-key-of-mine"))},
        RefundOrderSerializer,
        parameters=[IDEMPOTENCY_KEY],
    ),
    payments=route("listOrderPayments", "The payments and refunds of an order", OrderPaymentsSerializer),
    history=route(
        "getOrderHistory", "All that happened to an order", HistoryEntrySerializer(many=True), filters=False
    ),
    of_user=route("listOrdersOfUser", "The orders of one user", OrderSerializer(many=True)),
    statuses=route("listOrderStatuses", "Every status and what may follow it", StatusSerializer(many=True)),
)
