"""The service that places one order."""

from collections.abc import Sequence

from django.db import connection

from foundation.group_commit import GroupCommit
from foundation.shared_connection import shared_connection
from orders_app.document import ShippingAddress
from orders_app.event_log import Origin
from orders_app.exceptions import PlacedInTransaction
from orders_app.services.place_order.batch import place_orders
from orders_app.services.place_order.request import ItemRequest, Placement, PlacementRequest
from orders_app.state_machine import PaymentMethod

PLACING = "placing"
MAX_BATCH = 100


def place_order(  # noqa: PLR0913 - everything that makes an order, by keyword
    *,
    user_id: int,
    items: Sequence[ItemRequest],
    shipping_address: ShippingAddress,
    payment_method: PaymentMethod,
    idempotency_key: str | None,
    origin: Origin,
) -> Placement:
    """Place an order at the catalogue's prices; one idempotency key of a user gives one order.

    The orders that several threads place at the same time are committed together. Raises EmptyOrder,
    OrderTooLarge, UnknownProducts, InactiveProducts, IdempotencyKeyReused or CustomerNotFound, and the
    catalogue's own error while it is unavailable; then nothing was placed. Raises PlacedInTransaction where a
    transaction is open.
    """
    if connection.in_atomic_block:
        raise PlacedInTransaction("the orders of other customers may be committed with this one")
    return _group_commit.call(
        PlacementRequest(user_id, items, shipping_address, payment_method, idempotency_key or "", origin)
    )


_group_commit = GroupCommit[PlacementRequest, Placement](
    lambda requests: place_orders(requests, shared_connection(PLACING)), limit=MAX_BATCH
)
