"""Requests that were sent before: their idempotency key has an order already."""

from collections.abc import Collection, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from orders_app.exceptions import IdempotencyKeyReused
from orders_app.models import Order
from orders_app.models.rows import document_of
from orders_app.selectors import all_orders
from orders_app.services.place_order.request import CustomerKey, Outcome, Placement, PlacementRequest

FIND_BY_KEY = """
SELECT id FROM orders_order JOIN unnest(%s::bigint[], %s::text[]) AS keyed (user_id, idempotency_key)
USING (user_id, idempotency_key) WHERE idempotency_key <> ''
"""


def find_placed(
    requests: Mapping[int, PlacementRequest], database: BaseDatabaseWrapper
) -> dict[int, Outcome]:
    """The outcomes of those of these requests, by index, whose idempotency key has an order already."""
    keyed = {index: request for index, request in requests.items() if request.idempotency_key}
    if not keyed:
        return {}
    orders = _orders_by_key({request.customer_key for request in keyed.values()}, database)
    return {
        index: _outcome(request, orders[request.customer_key])
        for index, request in keyed.items()
        if request.customer_key in orders
    }


def _orders_by_key(keys: Collection[CustomerKey], database: BaseDatabaseWrapper) -> dict[CustomerKey, Order]:
    users, idempotency_keys = zip(*keys, strict=True)
    with database.cursor() as cursor:
        cursor.execute(FIND_BY_KEY, [list(users), list(idempotency_keys)])
        ids = [order_id for (order_id,) in cursor.fetchall()]
    # Mostly there are none; then the orders and their items need not be read.
    orders = all_orders().filter(pk__in=ids) if ids else []
    return {(order.user_id, order.idempotency_key): order for order in orders}


def _outcome(request: PlacementRequest, order: Order) -> Outcome:
    if order.request_hash != request.hash:
        return IdempotencyKeyReused(request.idempotency_key)
    try:
        return Placement(document_of(order), replayed=True)
    except Exception as error:  # a row that cannot be read spoils no other request of the batch
        return error
