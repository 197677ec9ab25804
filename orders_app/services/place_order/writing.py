"""Writing new orders: rows, items and events of a whole batch with one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import Created, EventType
from orders_app.event_log import INSERT_EVENTS, NewEvent, Origin
from orders_app.models import Order
from orders_app.models.payment_rows import INSERT_TOKENS, WaitingToken
from orders_app.models.rows import as_json, columns_of, item_rows, without_nulls
from orders_app.services.place_order.request import PlacementRequest

# The statement without tokens is the usual one: it does not pay for theirs.
_TOKENS = f"""
), tokens AS (
    {INSERT_TOKENS}
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed))"""  # noqa: S608 - only a statement is put in
# Subqueries and not joins: a join may change the order of an order's items.
# The columns are named: one that a newer version of the code has added gets its default, and not NULL.
_FIELDS = Order._meta.concrete_fields  # noqa: SLF001 - Django's own interface
_COLUMNS = ", ".join(field.column for field in _FIELDS if field.column)
_INSERT = """
WITH placed AS (
    INSERT INTO orders_order ({columns})
    SELECT {columns} FROM json_populate_recordset(NULL::orders_order, %s::json)
    ON CONFLICT DO NOTHING RETURNING id
), lines AS (
    INSERT INTO orders_orderitem (order_id, product_id, product_name, quantity, price)
    SELECT order_id, product_id, product_name, quantity, price
    FROM json_populate_recordset(NULL::orders_orderitem, %s::json)
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed)){tokens}
), events AS (
    {events}
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed))
)
SELECT id FROM placed
"""
INSERT = _INSERT.format(columns=_COLUMNS, events=INSERT_EVENTS, tokens="")
INSERT_WITH_TOKENS = _INSERT.format(columns=_COLUMNS, events=INSERT_EVENTS, tokens=_TOKENS)


def write_orders(
    orders: Sequence[tuple[OrderDocument, PlacementRequest]], database: BaseDatabaseWrapper
) -> set[UUID]:
    """Write these orders; the ids of those written: an order whose key or number is taken is left out."""
    # Rows are written in the order of customer and key, so that two processes that write the same keys do not
    # deadlock, each waiting for a key that the other has written.
    orders = sorted(orders, key=lambda pair: pair[1].customer_key)
    rows = [_order_row(order, request) for order, request in orders]
    items = [row for order, _ in orders for row in item_rows(order)]
    tokens = [_token(order, request) for order, request in orders if order.payment_attempts]
    events = [_created(order, request.origin) for order, request in orders]
    statement, parameters = INSERT, [as_json(rows), as_json(items)]
    if tokens:
        statement, parameters = INSERT_WITH_TOKENS, [*parameters, as_json(tokens)]
    written = event_log.append_within(statement, parameters, events, database)
    return {order_id for (order_id,) in written}


def _order_row(order: OrderDocument, request: PlacementRequest) -> dict[str, Any]:
    return without_nulls(columns_of(order)) | {
        "idempotency_key": request.idempotency_key,
        "request_hash": request.hash if request.idempotency_key else "",
    }


def _token(order: OrderDocument, request: PlacementRequest) -> WaitingToken:
    return WaitingToken(order.id, order.payment_attempts, request.payment_token, order.created_at)


def _created(order: OrderDocument, origin: Origin) -> NewEvent:
    data = Created(order.order_number, order)
    return event_log.new_event(EventType.CREATED, data, order, origin, order.created_at)
