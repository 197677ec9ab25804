"""Requests that were sent before: their idempotency key has an order already."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Struct

from orders_app.exceptions import IdempotencyKeyReused
from orders_app.models.rows import READ, documents_of_rows
from orders_app.services.place_order.request import CustomerKey, Outcome, Placement, PlacementRequest

FIND_BY_KEY = """
SELECT user_id, idempotency_key, request_hash, id
FROM orders_order JOIN unnest(%s::bigint[], %s::text[]) AS keyed (user_id, idempotency_key)
USING (user_id, idempotency_key) WHERE idempotency_key <> ''
"""


class _Placed(Struct):
    """What an earlier request has left: its hash, and the row of its order as READ gives it."""

    request_hash: str
    row: Sequence[Any]


def find_placed(
    requests: Mapping[int, PlacementRequest], database: BaseDatabaseWrapper
) -> dict[int, Outcome]:
    """The outcomes of those of these requests, by index, whose idempotency key has an order already."""
    keyed = {index: request for index, request in requests.items() if request.idempotency_key}
    if not keyed:
        return {}
    placed = _placed_by_key({request.customer_key for request in keyed.values()}, database)
    return {
        index: _outcome(request, placed[request.customer_key])
        for index, request in keyed.items()
        if request.customer_key in placed
    }


def _placed_by_key(
    keys: Collection[CustomerKey], database: BaseDatabaseWrapper
) -> dict[CustomerKey, _Placed]:
    users, idempotency_keys = zip(*keys, strict=True)
    with database.cursor() as cursor:
        cursor.execute(FIND_BY_KEY, [list(users), list(idempotency_keys)])
        found = cursor.fetchall()
    # Mostly there are none; then the orders and their items need not be read.
    rows = _rows([order_id for *_, order_id in found], database) if found else {}
    return {
        (user_id, key): _Placed(request_hash, rows[order_id])
        for user_id, key, request_hash, order_id in found
        if order_id in rows
    }


def _rows(order_ids: Sequence[UUID], database: BaseDatabaseWrapper) -> dict[UUID, Sequence[Any]]:
    with database.cursor() as cursor:
        cursor.execute(READ, [list(order_ids)])
        return {row[0]: row for row in cursor.fetchall()}


def _outcome(request: PlacementRequest, placed: _Placed) -> Outcome:
    if placed.request_hash != request.hash:
        return IdempotencyKeyReused(request.idempotency_key)
    try:
        (document,) = documents_of_rows([placed.row]).values()
    except Exception as error:  # a row that cannot be read spoils no other request of the batch
        return error
    return Placement(document, replayed=True)
