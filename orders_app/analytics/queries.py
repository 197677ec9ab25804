"""The queries of analytics. All read the orders that were placed in a period, and what became of them.

Their parameters: `start` (included), `end` (not included), `currency` (NULL for all). An order counts in no
figure before its `order.created` is seen: until then it has no `placed_at`.
"""

# ruff: noqa: S608 - only texts of this module, and the names and numbers that callers choose, are put in

PLACED = "placed_at >= %(start)s AND placed_at < %(end)s"
SELECTED = f"{PLACED} AND (%(currency)s::text IS NULL OR currency = %(currency)s)"
HAS_REVENUE = "(paid_at IS NOT NULL OR delivered_at IS NOT NULL)"
REVENUE = f"CASE WHEN {HAS_REVENUE} THEN greatest(total - refunded, 0) ELSE 0 END"

GROUPS = f"""
    SELECT status, coalesce(payment_method, 0), count(*), count(*) FILTER (WHERE {HAS_REVENUE}),
           coalesce(sum({REVENUE}), 0), coalesce(sum(pieces), 0),
           count(*) FILTER (WHERE cancelled_at IS NOT NULL), count(*) FILTER (WHERE rejected)
    FROM analytics_order WHERE {SELECTED}
    GROUP BY GROUPING SETS ((), (status), (coalesce(payment_method, 0)))"""
"""The figures by (status, NULL), (NULL, payment method or 0), and of all orders (NULL, NULL)."""

CUSTOMERS = f"""
    SELECT count(*), count(*) FILTER (WHERE orders > 1)
    FROM (SELECT count(*) AS orders FROM analytics_order WHERE {SELECTED} AND user_id IS NOT NULL
          GROUP BY user_id) AS customer"""
"""How many known customers there are, and how many of them with more than one order."""

BY_CURRENCY = f"""
    SELECT currency, count(*), sum({REVENUE})
    FROM analytics_order WHERE {SELECTED} GROUP BY currency ORDER BY currency"""

BUCKETS = f"""
    SELECT width_bucket(placed_at, %(starts)s), count(*), sum({REVENUE}), sum(pieces),
           count(*) FILTER (WHERE cancelled_at IS NOT NULL), count(*) FILTER (WHERE rejected)
    FROM analytics_order WHERE {SELECTED} GROUP BY 1"""
"""The figures of the buckets in which there are orders, by the number of the bucket, from 1."""

FUNNEL = f"""
    SELECT count(*), count(reserved_at), count(paid_at), count(shipped_at), count(delivered_at)
    FROM analytics_order WHERE {SELECTED}"""

LATENCIES = f"""
    SELECT stage, count(*), percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY seconds)
    FROM analytics_order, LATERAL (VALUES
        (1, placed_at, reserved_at), (2, placed_at, confirmed_at),
        (3, confirmed_at, shipped_at), (4, shipped_at, delivered_at)
    ) AS passed (stage, since, until), LATERAL (
        SELECT greatest(extract(epoch FROM until - since)::float8, 0) AS seconds
    ) AS took
    WHERE {SELECTED} AND until - since IS NOT NULL GROUP BY stage"""
"""The numbers of the stages through which orders came, how many, and the exact percentiles of the seconds.

The times come from clocks of several servers: a negative one counts as 0.
"""

CONFIRMATIONS = f"""
    SELECT width_bucket(placed_at, %(starts)s), count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
        ORDER BY greatest(extract(epoch FROM confirmed_at - placed_at)::float8, 0))
    FROM analytics_order WHERE {SELECTED} AND confirmed_at IS NOT NULL GROUP BY 1"""
"""How many orders of a bucket were confirmed, and after how many seconds: the exact percentiles."""

CANCEL_REASONS = f"""
    SELECT cancel_code, count(*) AS orders
    FROM analytics_order WHERE {SELECTED} AND cancelled_at IS NOT NULL
    GROUP BY cancel_code ORDER BY orders DESC, cancel_code"""

# The lines have the time of their order too, so that PostgreSQL need not look up the lines of each order.
SELECTED_LINES = f"""
    selected JOIN (SELECT * FROM analytics_line WHERE {PLACED}) AS placed_line USING (order_id)"""

PRODUCTS = f"""
    WITH selected AS (
        SELECT order_id, total, {REVENUE} AS revenue FROM analytics_order WHERE {SELECTED}
    ), line AS (
        SELECT product_id, product_name, category, quantity, rejected, placed_at,
               CASE WHEN revenue = 0 THEN 0 ELSE quantity * price END AS revenue
        FROM {SELECTED_LINES} WHERE revenue IN (0, total)
        UNION ALL
        SELECT product_id, product_name, category, quantity, rejected, placed_at,
               round(amounts * revenue / total, %(decimals)s)
               - round((amounts - quantity * price) * revenue / total, %(decimals)s)
        FROM (
            SELECT *, sum(quantity * price) OVER (PARTITION BY order_id ORDER BY product_id) AS amounts
            FROM {SELECTED_LINES} WHERE revenue NOT IN (0, total)
        ) AS of_orders_refunded_in_part
    ), named AS (
        SELECT product_id, product_name, category, max(placed_at) AS last_placed, count(*) AS orders,
               sum(quantity) AS pieces, sum(revenue) AS revenue,
               count(*) FILTER (WHERE rejected) AS rejections
        FROM line GROUP BY product_id, product_name, category
    )
    SELECT product_id,
           (array_agg(product_name ORDER BY last_placed DESC, product_name, category))[1],
           (array_agg(nullif(category, '') ORDER BY last_placed DESC, product_name, category))[1],
           sum(orders)::bigint, sum(pieces)::bigint, sum(revenue), sum(rejections)::bigint
    FROM named GROUP BY product_id"""
"""The figures by product, with `decimals` of the currency; its name and category are those ordered last.

The revenue of an order that is refunded in part is spread over its lines by their amounts: each has what is
due to the lines up to it, rounded, less what is due to those before it. So the parts add up to the whole.
"""

SORTED_PRODUCTS = PRODUCTS + " ORDER BY sum({column}) DESC, product_id"
PAGE_OF_PRODUCTS = SORTED_PRODUCTS + " LIMIT %(limit)s OFFSET %(skip)s"

COUNT_PRODUCTS = f"""
    WITH selected AS (SELECT order_id FROM analytics_order WHERE {SELECTED})
    SELECT count(DISTINCT product_id) FROM {SELECTED_LINES}"""
