"""Each query of analytics reads its period by indexes, not all rows, where there are 10 million orders."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from orders_app.analytics import queries
from orders_app.analytics.copies import copy_in_use
from orders_app.analytics.periods import Period
from orders_app.analytics.selection import Selection, read

ORDERS = 10_000_000
SAMPLE = 4_000
# Three years of orders of three lines; a few of them are refunded in part.
FILL = f"""
INSERT INTO analytics_order (order_id, user_id, placed_at, currency, total, pieces, payment_method, paid_at,
    refunded)
SELECT gen_random_uuid(), number / 5, timestamptz '2024-01-01 UTC' + number * interval '3 years' / {SAMPLE},
    'USD', 30, 3, 1, now(), CASE WHEN number % 50 = 0 THEN 1 ELSE 0 END
FROM generate_series(1, {SAMPLE}) AS number;
INSERT INTO analytics_line (order_id, product_id, placed_at, product_name, quantity, price)
SELECT order_id, 'product-' || (user_id + line) % 500, placed_at, 'Product', 1, 10
FROM analytics_order, generate_series(1, 3) AS line;
"""
# PostgreSQL multiplies the rows of a page, by its statistics, with the pages that the file has. They are too
# few here, so that reading all rows looks cheaper than it is.
MANY_MORE = f"""
UPDATE pg_class SET reltuples = reltuples * {ORDERS // SAMPLE}
WHERE oid = %(table)s::regclass
    OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = %(table)s::regclass)
"""
START = datetime(2026, 5, 1, tzinfo=UTC)
MONTH = Selection(Period(START, START + timedelta(days=30), ZoneInfo("UTC")), "USD")
PARAMETERS = MONTH.parameters | {"starts": [START], "decimals": 2, "limit": 20, "skip": 0}
QUERIES = {
    "summary": queries.GROUPS,
    "customers": queries.CUSTOMERS,
    "currencies": queries.BY_CURRENCY,
    "timeseries": queries.BUCKETS,
    "funnel": queries.FUNNEL,
    "latency": queries.LATENCIES,
    "confirmations": queries.CONFIRMATIONS,
    "reasons": queries.CANCEL_REASONS,
    "products": queries.PAGE_OF_PRODUCTS.format(column="revenue"),
    "number of products": queries.COUNT_PRODUCTS,
}


@pytest.mark.django_db(transaction=True)
def test_each_query_reads_its_period_by_indexes(subtests: pytest.Subtests) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FILL)
        for name in ("order", "line"):
            table = f"analytics_{name}_{copy_in_use()}"
            cursor.execute(f"ANALYZE {table}")
            cursor.execute(MANY_MORE, {"table": table})
        for name, query in QUERIES.items():
            plan = "\n".join(line for (line,) in read(f"EXPLAIN {query}", PARAMETERS))
            with subtests.test(name):
                assert "_placed on analytics_order_" in plan, plan
                assert "Seq Scan on analytics" not in plan, plan
        transaction.set_rollback(True)
