"""Writing figures into the copies of the read models, by the rules of `facts.py`."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

from foundation.kill_points import kill_point
from orders_app.analytics.copies import Copy, copies_to_write, other_copy
from orders_app.analytics.facts import Figures
from orders_app.analytics.progress import HandledUntil, store_progress
from orders_app.models.rows import as_json

# `least` and `greatest` pass over NULL. Rows are written in the order of their keys, so that two workers that
# write the same orders wait for each other and do not deadlock. "C": as Python compares texts.
_WRITE_ORDERS = """
INSERT INTO analytics_order_{copy} AS known (order_id, user_id, placed_at, currency, total, pieces,
    payment_method, status, status_version, reserved_at, reserved_version, confirmed_at, paid_at,
    paid_version, refunded, refunded_version, shipped_at, delivered_at, cancelled_at, cancel_code, rejected)
SELECT order_id, user_id, placed_at, coalesce(currency, ''), total, pieces, payment_method,
    coalesce(status, 1), coalesce(status_version, 0), reserved_at, reserved_version, confirmed_at, paid_at,
    paid_version, coalesce(refunded, 0), coalesce(refunded_version, 0), shipped_at, delivered_at,
    cancelled_at, coalesce(cancel_code, ''), coalesce(rejected, false)
FROM {source} ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE SET
    user_id = greatest(known.user_id, excluded.user_id),
    placed_at = least(known.placed_at, excluded.placed_at),
    currency = greatest(known.currency COLLATE "C", excluded.currency COLLATE "C"),
    total = greatest(known.total, excluded.total),
    pieces = greatest(known.pieces, excluded.pieces),
    payment_method = greatest(known.payment_method, excluded.payment_method),
    status = CASE WHEN (excluded.status_version, excluded.status) > (known.status_version, known.status)
        THEN excluded.status ELSE known.status END,
    status_version = greatest(known.status_version, excluded.status_version),
    reserved_at = CASE
        WHEN known.reserved_at IS NULL
            OR (excluded.reserved_version, excluded.reserved_at) < (known.reserved_version, known.reserved_at)
        THEN excluded.reserved_at ELSE known.reserved_at END,
    reserved_version = least(known.reserved_version, excluded.reserved_version),
    confirmed_at = least(known.confirmed_at, excluded.confirmed_at),
    paid_at = CASE
        WHEN known.paid_at IS NULL
            OR (excluded.paid_version, excluded.paid_at) < (known.paid_version, known.paid_at)
        THEN excluded.paid_at ELSE known.paid_at END,
    paid_version = least(known.paid_version, excluded.paid_version),
    refunded = CASE
        WHEN (excluded.refunded_version, excluded.refunded) > (known.refunded_version, known.refunded)
        THEN excluded.refunded ELSE known.refunded END,
    refunded_version = greatest(known.refunded_version, excluded.refunded_version),
    shipped_at = least(known.shipped_at, excluded.shipped_at),
    delivered_at = least(known.delivered_at, excluded.delivered_at),
    cancelled_at = least(known.cancelled_at, excluded.cancelled_at),
    cancel_code = greatest(known.cancel_code COLLATE "C", excluded.cancel_code COLLATE "C"),
    rejected = known.rejected OR excluded.rejected
"""
_WRITE_LINES = """
INSERT INTO analytics_line_{copy} AS known
    (order_id, product_id, product_name, category, quantity, price, placed_at, rejected)
SELECT order_id, product_id, product_name, coalesce(category, ''), quantity, price, placed_at,
    coalesce(rejected, false)
FROM {source} ORDER BY order_id, product_id
ON CONFLICT (order_id, product_id) DO UPDATE SET
    product_name = greatest(known.product_name COLLATE "C", excluded.product_name COLLATE "C"),
    category = greatest(known.category COLLATE "C", excluded.category COLLATE "C"),
    quantity = greatest(known.quantity, excluded.quantity),
    price = greatest(known.price, excluded.price),
    placed_at = least(known.placed_at, excluded.placed_at),
    rejected = known.rejected OR excluded.rejected
"""
_FACTS = "json_populate_recordset(NULL::{table}, %s::json)"
_ROWS = "(SELECT * FROM {table} WHERE order_id = ANY(%s)) AS kept"


def write_figures(figures: Figures, handled_until: HandledUntil) -> None:
    """Put these figures into the copy in use, and into the one that is being rebuilt, if any.

    `handled_until` says up to when the messages of each partition are in the figures then. Raises the errors
    of the database; then nothing is written.
    """
    with transaction.atomic():
        write_into(copies_to_write(), figures)
        store_progress(handled_until)
        kill_point("before-figures-committed")


def write_into(copies: Collection[Copy], figures: Figures) -> None:
    """Put these figures into these copies, within the transaction that is open."""
    orders, lines = as_json(list(figures.orders.values())), as_json(list(figures.lines.values()))
    with connection.cursor() as cursor:
        for copy in copies:
            if figures.orders:
                source = _FACTS.format(table=f"analytics_order_{copy}")
                cursor.execute(_WRITE_ORDERS.format(copy=copy, source=source), [orders])
            if figures.lines:
                source = _FACTS.format(table=f"analytics_line_{copy}")
                cursor.execute(_WRITE_LINES.format(copy=copy, source=source), [lines])


def keep_rows(copy: Copy, order_ids: Collection[UUID]) -> None:
    """Put the rows that the other copy has of these orders into this one, within the open transaction."""
    other = other_copy(copy)
    with connection.cursor() as cursor:
        source = _ROWS.format(table=f"analytics_order_{other}")
        cursor.execute(_WRITE_ORDERS.format(copy=copy, source=source), [list(order_ids)])
        source = _ROWS.format(table=f"analytics_line_{other}")
        cursor.execute(_WRITE_LINES.format(copy=copy, source=source), [list(order_ids)])
