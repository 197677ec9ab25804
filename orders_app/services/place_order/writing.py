"""Writing new orders: rows, items and events of a whole batch with one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import Created, EventType
from orders_app.event_log import INSERT_EVENTS, NewEvent, Origin
from orders_app.models.rows import as_json, columns_of, item_rows
from orders_app.services.place_order.request import PlacementRequest

# Subqueries and not joins: a join may change the order of an order's items.
INSERT = f"""
WITH placed AS (
    INSERT INTO orders_order SELECT new.* FROM json_populate_recordset(NULL::orders_order, %s::json) AS new
    ON CONFLICT DO NOTHING RETURNING id
), lines AS (
    INSERT INTO orders_orderitem (order_id, product_id, product_name, quantity, price)
    SELECT order_id, product_id, product_name, quantity, price
    FROM json_populate_recordset(NULL::orders_orderitem, %s::json)
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed))
), events AS (
    {INSERT_EVENTS}
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed))
)
SELECT id FROM placed
"""  # noqa: S608 - only the statement for events is put in


def write_orders(
    orders: Sequence[tuple[OrderDocument, PlacementRequest]], database: BaseDatabaseWrapper
) -> set[UUID]:
    """Write these orders; the ids of those written: an order whose key or number is taken is left out."""
    # Rows are written in the order of customer and key, so that two processes that write the same keys do not
    # deadlock, each waiting for a key that the other has written.
    orders = sorted(orders, key=lambda pair: pair[1].customer_key)
    rows = [_order_row(order, request) for order, request in orders]
    items = [row for order, _ in orders for row in item_rows(order)]
    events = [_created(order, request.origin) for order, request in orders]
    written = event_log.append_within(INSERT, [as_json(rows), as_json(items)], events, database)
    return {order_id for (order_id,) in written}


def _order_row(order: OrderDocument, request: PlacementRequest) -> dict[str, Any]:
    return columns_of(order) | {
        "idempotency_key": request.idempotency_key,
        "request_hash": request.hash if request.idempotency_key else "",
    }


def _created(order: OrderDocument, origin: Origin) -> NewEvent:
    data = Created(order.order_number, order)
    return event_log.new_event(EventType.CREATED, data, order, origin, order.created_at)
