"""How PostgreSQL finds the orders of the list: none of its queries has to look through all orders."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orders_app.admin.order_filters import WAITING_LISTS
from tests.orders_app.admin.order_pages import LIST, OrderPages
from tests.orders_app.ordering import OrderPlacer

SCAN_OF_ALL = re.compile(r"Seq Scan on (orders_order|orders_orderitem|order_event)\w*")
Query = dict[str, str]


def queries() -> Iterator[Query]:
    """What staff ask for: tabs, filters alone and together, sorting, and each kind of search."""
    yield {}
    yield {"o": "-5"}
    yield from ({"waiting": name} for name in WAITING_LISTS)
    yield {"status__exact": "5", "payment_status__exact": "2"}
    yield {"stock_status__exact": "reserved"}
    yield {"created_at__gte": "2026-11-01 00:00:00+00:00", "created_at__lt": "2026-11-02 00:00:00+00:00"}
    yield from ({"q": text} for text in ("lantern", "SB-ABC", "abc", "stockbridge", "walter", "1Z999"))
    yield {"q": "lantern", "status__exact": "1"}


def plan_of(sql: str) -> str:
    """How the statement is executed where every other way is preferred to reading a whole table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("query", list(queries()), ids=str)
def test_no_query_of_the_list_looks_through_all_orders(
    placer: OrderPlacer, order_pages: OrderPages, query: Query
) -> None:
    placer.place()
    with CaptureQueriesContext(connection) as asked:
        assert order_pages.client.get(LIST, query).status_code == 200
    statements = [each["sql"] for each in asked.captured_queries if '"orders_order"' in each["sql"]]
    assert statements
    for sql in statements:
        if sql.startswith(("SELECT", "(SELECT")):
            assert not SCAN_OF_ALL.search(plan := plan_of(sql)), plan
