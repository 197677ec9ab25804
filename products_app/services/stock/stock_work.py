"""What staff do with the stock: receive deliveries, and adjust it by what was broken, lost or found."""

from functools import partial
from typing import NotRequired, TypedDict, Unpack

from bson import ObjectId
from msgspec import Struct, field
from pymongo.client_session import ClientSession

from products_app.documents.movements import Movement, MovementKind, movement_collection
from products_app.documents.reading import require_readable_counts
from products_app.documents.transactions import in_transaction
from products_app.exceptions import IdempotencyKeyReused
from products_app.selectors import get_document
from products_app.services.stock.movements import StockMove, move_stock


class StockWork(TypedDict):
    """A request of staff: the product, how many pieces, why, and who asks (`staff:<id>`).

    The same request of the same actor with the same idempotency key gets the same movement and moves nothing
    more; without a key each request moves the stock.
    """

    product_id: str
    quantity: int
    reason: str
    actor: str
    idempotency_key: NotRequired[str]


def receive_stock(**work: Unpack[StockWork]) -> Movement:
    """Add pieces that were delivered (`quantity` above 0); the movement that records it.

    Raises ProductNotFound, ProductUnreadable, StockTooHigh, IdempotencyKeyReused or CatalogueUnavailable.
    """
    return in_transaction(partial(move_once, request=MoveRequest(kind="receipt", **work)))


def adjust_stock(**work: Unpack[StockWork]) -> Movement:
    """Add pieces that were found (`quantity` above 0), or take away what is missing (below 0).

    Raises InsufficientStock where less than nothing would be left, and what `receive_stock` raises.
    """
    return in_transaction(partial(move_once, request=MoveRequest(kind="adjustment", **work)))


class MoveRequest(Struct, frozen=True, kw_only=True):
    """A movement that is asked for.

    Its id is made with the request, and not by each attempt of the transaction: after a commit whose result
    is unknown, the next attempt finds the movement by it.
    """

    kind: MovementKind
    product_id: str
    quantity: int
    reason: str
    actor: str
    idempotency_key: str = ""
    id: ObjectId = field(default_factory=ObjectId)

    @property
    def key(self) -> str:
        """The actor and their idempotency key."""
        return f"{self.actor} {self.idempotency_key}" if self.idempotency_key else ""


def move_once(session: ClientSession, request: MoveRequest) -> Movement:
    """Do what is asked for, unless it was done before; the movement. Raises as `adjust_stock`."""
    if earlier := _find_earlier(session, request):
        return earlier
    document = get_document(request.product_id, session)
    require_readable_counts(document)
    move = StockMove(
        document=document,
        quantity=request.quantity,
        kind=request.kind,
        reason=request.reason,
        key=request.key,
        id=request.id,
    )
    [movement] = move_stock(session, [move], actor=request.actor)
    return movement


def _find_earlier(session: ClientSession, request: MoveRequest) -> Movement | None:
    """The movement of an earlier attempt or request. Raises IdempotencyKeyReused."""
    by_key = [{"key": request.key}] if request.key else []
    earlier = movement_collection().find_one({"$or": [{"_id": request.id}, *by_key]}, session=session)
    if earlier is None:
        return None
    asked = (earlier["kind"], str(earlier["product"]), earlier["quantity"], earlier["reason"])
    if asked != (request.kind, request.product_id.lower(), request.quantity, request.reason):
        raise IdempotencyKeyReused(request.idempotency_key)
    return earlier
