"""`POST products/{id}/reserve/` and `release/`: who may call them, what is sent, answered and refused."""

from http import HTTPStatus
from typing import Annotated, Any, cast

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from msgspec import Meta, Struct
from rest_framework.request import Request

from foundation.group_commit import Call
from products_app.api.service_keys import ServiceKeyAuthentication, ServiceMay
from products_app.models import ServiceKey
from products_app.services.stock.service import (
    STOCK_REQUESTS,
    LineReleased,
    LineReserved,
    ReleaseLine,
    ReserveLine,
)
from web.endpoint import Answer, Endpoint
from web.error_schema import ERROR
from web.struct_schema import StructSerializer

MAX_QUANTITY = 1_000_000
PRODUCT_ID = OpenApiParameter(
    "product_id",
    str,
    OpenApiParameter.PATH,
    description="24 hexadecimal digits.",
    pattern="^[0-9a-fA-F]{24}$",
)


class Line(Struct, frozen=True, rename="camel"):
    """So many pieces for an order."""

    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
    order_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


class LineSerializer(StructSerializer):
    """A line."""

    struct = Line


class LineReservedSerializer(StructSerializer):
    """The answer to reserve."""

    struct = LineReserved


class LineReleasedSerializer(StructSerializer):
    """The answer to release."""

    struct = LineReleased


def _reserve(request: Request, line: Line, *, product_id: str) -> ReserveLine:
    return ReserveLine(line.order_id, product_id, line.quantity, _owner(request))


def _release(request: Request, line: Line, *, product_id: str) -> ReleaseLine:
    return ReleaseLine(line.order_id, product_id, line.quantity, _owner(request))


def _answer(_line: Line, settling: Call[Any, LineReserved | LineReleased]) -> Answer:
    return Answer(settling.result())


def _owner(request: Request) -> str:
    return cast("ServiceKey", request.auth).owner


FOR_SERVICES: dict[str, Any] = {
    "tag": "stock",
    "parameters": (PRODUCT_ID,),
    "allow": "POST, OPTIONS",
    "scheme": "Api-Key",
    "authentication": (ServiceKeyAuthentication,),
    "body": LineSerializer,
    "service": STOCK_REQUESTS,
    "answer": _answer,
    "status": HTTPStatus.OK,
}

RESERVE = Endpoint(
    **FOR_SERVICES,
    route="api/v1/products/<str:product_id>/reserve/",
    operation="reserveStock",
    summary="Reserve pieces for an order",
    permission=ServiceMay("reserve"),
    ask=_reserve,
    content=LineReservedSerializer,
    refusals={
        409: OpenApiResponse(
            ERROR,
            "The product is not for sale; or too few can be sold (`availableStock` says how many); or the "
            "order has reserved another quantity, or was released or rejected before; or a message or "
            "another key has reserved the product for it.",
        )
    },
)

RELEASE = Endpoint(
    **FOR_SERVICES,
    route="api/v1/products/<str:product_id>/release/",
    operation="releaseStock",
    summary="Give reserved pieces back",
    permission=ServiceMay("release"),
    ask=_release,
    content=LineReleasedSerializer,
    refusals={
        409: OpenApiResponse(ERROR, "A message or another key has reserved the product for this order.")
    },
)
