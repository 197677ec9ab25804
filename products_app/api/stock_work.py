"""`POST products/{id}/receive/` and `adjust/`: what staff do with the stock."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from msgspec import Meta, Struct, to_builtins
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from products_app.api.serializers import MAX_STOCK
from products_app.api.stock_endpoints import PRODUCT_ID
from products_app.documents.movements import Movement
from products_app.exceptions import IdempotencyKeyReused, InsufficientStock
from products_app.services.stock.stock_work import StockWork, adjust_stock, receive_stock
from products_app.stock_selectors import StockMovement, shown_movement
from web.bodies import field_error, read_body
from web.error_schema import ERROR, refused, refused_example
from web.idempotency import IDEMPOTENCY_KEY, idempotency_key
from web.no_store import NoStore
from web.parsers import JsonBytesParser
from web.struct_schema import StructSerializer

Method = TypeVar("Method", bound=Callable[..., Response])
Reason = Annotated[str, Meta(max_length=500, pattern=r"^(?=[^\x00]*\S)[^\x00]*$")]


class Receipt(Struct, frozen=True):
    """Pieces that were delivered, and why."""

    quantity: Annotated[int, Meta(ge=1, le=MAX_STOCK)]
    reason: Reason


class Adjustment(Struct, frozen=True):
    """Pieces that are more (above 0) or fewer (below 0) than was thought, and why."""

    quantity: Annotated[int, Meta(ge=-MAX_STOCK, le=MAX_STOCK)]
    reason: Reason


class StockMoved(Struct, frozen=True, rename="camel"):
    """The movement, and the counts of the product right after it."""

    product_id: str
    product_name: str
    new_stock: int
    received: int
    movement: StockMovement


class ReceiptSerializer(StructSerializer):
    """A receipt."""

    struct = Receipt
    example: ClassVar = {"quantity": 20, "reason": "Delivery 4711"}


class AdjustmentSerializer(StructSerializer):
    """An adjustment."""

    struct = Adjustment
    example: ClassVar = {"quantity": -2, "reason": "Broken on the shelf"}


class StockMovedSerializer(StructSerializer):
    """The answer to both."""

    struct = StockMoved


UNREADABLE = OpenApiResponse(ERROR, "Another program wrote counts that cannot be read.")
TOO_LITTLE = OpenApiResponse(
    ERROR,
    "Less than nothing would be left (`availableStock` says how many can be taken away); or another program "
    "wrote counts that cannot be read.",
    [refused_example(InsufficientStock("665f1f77bcf86cd799439011", requested=5, available=3))],
)
KEY_REUSED = refused(IdempotencyKeyReused("a-key-of-mine"))


def documented(
    operation: str, summary: str, body: type[StructSerializer], conflict: OpenApiResponse
) -> Callable[[Method], Method]:
    """Decorator of the view's method: the route in the OpenAPI schema."""
    decorator: Callable[[Method], Method] = extend_schema(
        operation_id=operation,
        summary=summary,
        description="The same request with the same Idempotency-Key changes the stock once.",
        tags=["stock"],
        parameters=[PRODUCT_ID, IDEMPOTENCY_KEY],
        request=body,
        responses={200: StockMovedSerializer, 409: conflict, 422: KEY_REUSED},
        examples=[OpenApiExample(summary, body.example, request_only=True)],
    )
    return decorator


class StockWorkView(NoStore, GenericAPIView[Any]):
    """Staff alone."""

    permission_classes = (IsAdminUser,)
    parser_classes = (JsonBytesParser,)


class ReceiveView(StockWorkView):
    """Add pieces that were delivered to the stock."""

    serializer_class = ReceiptSerializer

    @documented("receiveStock", "Receive a delivery", ReceiptSerializer, UNREADABLE)
    def post(self, request: Request, product_id: str) -> Response:
        """Add them."""
        receipt = read_body(request.data, Receipt)
        return moved(receive_stock(**work_of(request, product_id, receipt)))


class AdjustView(StockWorkView):
    """Correct the stock by what was broken, lost or found."""

    serializer_class = AdjustmentSerializer

    @documented("adjustStock", "Adjust the stock", AdjustmentSerializer, TOO_LITTLE)
    def post(self, request: Request, product_id: str) -> Response:
        """Change it by the quantity."""
        adjustment = read_body(request.data, Adjustment)
        if not adjustment.quantity:
            raise field_error("quantity", "Must not be 0.", "invalid")
        return moved(adjust_stock(**work_of(request, product_id, adjustment)))


def work_of(request: Request, product_id: str, body: Receipt | Adjustment) -> StockWork:
    """The stock work that is asked for. Raises ValidationError on an idempotency key that is not valid."""
    return {
        "product_id": product_id,
        "quantity": body.quantity,
        "reason": body.reason.strip(),
        "actor": actor_of(request),
        "idempotency_key": idempotency_key(request),
    }


def actor_of(request: Request | HttpRequest) -> str:
    """The user of the request, as movements name their actor."""
    return f"staff:{request.user.pk}"


def moved(movement: Movement) -> Response:
    """A movement as the answer."""
    answer = StockMoved(
        product_id=str(movement["product"]),
        product_name=movement["productName"],
        new_stock=movement["stock"],
        received=movement["received"],
        movement=shown_movement(movement),
    )
    return Response(to_builtins(answer))
