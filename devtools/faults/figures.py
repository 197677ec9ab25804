"""What analytics must know of the orders of a run, asked of PostgreSQL alone."""

# The orders whose rows of analytics differ, with both as JSON. The times that the row of an order does not
# have are those of its events.
DIFFERING_FIGURES = """
WITH expected AS (
    SELECT id AS order_id, user_id::bigint, created_at AS placed_at, currency, total_amount AS total,
        (SELECT sum(quantity)::int FROM orders_orderitem WHERE order_id = orders_order.id) AS pieces,
        payment_method, status, (
            SELECT min(created_at) FROM order_history
            WHERE order_id = orders_order.id AND type = 'order.confirmed'
        ) AS reserved_at, (
            SELECT min(created_at) FROM order_history
            WHERE order_id = orders_order.id AND type = 'order.status.changed' AND data ->> 'newStatus' = '2'
        ) AS confirmed_at,
        paid_at, coalesce(refunded_amount, 0) AS refunded, shipped_at, delivered_at, cancelled_at,
        cancel_reason_code AS cancel_code, (
            SELECT jsonb_agg(jsonb_build_array(product_id, product_name, quantity, price) ORDER BY product_id)
            FROM orders_orderitem WHERE order_id = orders_order.id
        ) AS lines
    FROM orders_order WHERE idempotency_key LIKE %s
), known AS (
    SELECT order_id, user_id, placed_at, currency, total, pieces, payment_method, status, reserved_at,
        confirmed_at, paid_at, refunded, shipped_at, delivered_at, cancelled_at, cancel_code, (
            SELECT jsonb_agg(jsonb_build_array(product_id, product_name, quantity, price) ORDER BY product_id)
            FROM analytics_line WHERE order_id = analytics_order.order_id
        ) AS lines
    FROM analytics_order
)
SELECT expected.order_id::text, to_jsonb(expected)::text, to_jsonb(known)::text
FROM expected LEFT JOIN known USING (order_id)
WHERE to_jsonb(expected) IS DISTINCT FROM to_jsonb(known)
"""
