"""The same pages and placements in a small shop and in a large one."""

import html
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median

import httpx
import psycopg

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure
from devtools.benchmarks.load import generate
from devtools.benchmarks.system import System, open_system
from devtools.stack.processes import all_processes
from devtools.stack.spawn import PROJECT

CUSTOMERS = 1_000
EVENTS_AN_ORDER = 5
PASSWORD = "bench-" + uuid.uuid4().hex
BYTES_AN_ORDER = 6_000
OTHER_BYTES = 3_000_000_000
"""On the disk, for what does not grow with the orders: mostly the WAL of PostgreSQL while they are loaded."""
CHUNK_ORDERS = 50_000
LOADERS = 2
_LOAD = """
WITH added AS (
    INSERT INTO orders_order SELECT new.* FROM orders_order AS example,
    generate_series(%(first)s::int, %(last)s::int) AS n,
    LATERAL (SELECT now() - n * interval '20 seconds') AS placed (at),
    LATERAL jsonb_populate_record(example, jsonb_build_object(
        'id', (left(order_id_from(placed.at)::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
        'order_number', 'SB-' || substr(lpad(to_hex(n), 8, '0'), 1, 4) || '-'
            || upper(substr(lpad(to_hex(n), 8, '0'), 5)),
        'user_id', (%(customers)s::int[])[1 + n %% cardinality(%(customers)s::int[])], 'status', 2 + n %% 4,
        'total_amount', (n %% 50000) / 100.0, 'idempotency_key', '', 'version', 5,
        'created_at', placed.at, 'updated_at', now()
    )) AS new WHERE example.id = %(example)s
    RETURNING id, user_id, created_at
), items AS (
    INSERT INTO orders_orderitem (order_id, product_id, product_name, quantity, price)
    SELECT numbered.id, product.id, 'Lantern ' || numbered.number %% 5000, 1, 10
    FROM (SELECT id, %(first)s + row_number() OVER () AS number FROM added) AS numbered
    JOIN unnest(%(products)s::text[]) WITH ORDINALITY AS product (id, number)
        ON product.number = 1 + numbered.number %% cardinality(%(products)s::text[])
)
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT added.id, n, example.type, added.user_id, example.data, example.actor, '', added.created_at
FROM added CROSS JOIN generate_series(1, %(events)s::int) AS n
JOIN order_event AS example ON example.order_id = %(example)s AND example.version = least(n, 3)
"""
_SECONDARY_INDEXES = """
SELECT index.indexrelid::regclass::text, replace(pg_get_indexdef(index.indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index AS index
WHERE index.indrelid IN ('orders_order'::regclass, 'orders_orderitem'::regclass, 'order_event'::regclass)
    AND NOT index.indisunique
"""
_MOVE_READERS = """
UPDATE reader_position
SET (tx, event_id) = (SELECT tx, id FROM order_event ORDER BY order_event.tx DESC, id DESC LIMIT 1)
"""

_TAIL = {"$substrBytes": [{"$toString": "$_id"}, 21, 3]}
_VARIED = {"category": {"$concat": ["bench-", _TAIL]}, "name": {"$concat": ["Lantern", _TAIL, " ", "$name"]}}
_SOME_PRODUCTS = "SELECT DISTINCT product_id FROM (SELECT product_id FROM orders_orderitem LIMIT 200) AS few"


@dataclass(frozen=True, kw_only=True)
class GrowthResult:
    """The time of each page, and the rate of placements."""

    own_orders: float = figure("a customer's orders, p50", "ms")
    all_orders: float = figure("all orders, p50", "ms")
    page_45: float = figure("all orders, page 45, p50", "ms")
    by_status: float = figure("orders of two statuses, p50", "ms")
    by_number: float = figure("orders by the beginning of a number, p50", "ms")
    by_product: float = figure("orders by a word of a product, p50", "ms")
    by_total: float = figure("orders by total, p50", "ms")
    one_order: float = figure("one order, p50", "ms")
    history: float = figure("its history, p50", "ms")
    products: float = figure("products, p50", "ms")
    product_search: float = figure("products by a word, p50", "ms")
    product_words: float = figure("products by the beginnings of two words, p50", "ms")
    product_names: float = figure("products by name, p50", "ms")
    product_category: float = figure("products of a category by price, p50", "ms")
    admin_list: float = figure("admin: orders, p50", "ms")
    admin_search: float = figure("admin: search, p50", "ms")
    admin_word: float = figure("admin: search by a word that all orders have, p50", "ms")
    admin_order: float = figure("admin: one order, p50", "ms")
    admin_start: float = figure("admin: start page, p50", "ms")
    admin_slowest: float = figure("admin: the slowest list that the start page links to, p50", "ms")
    board: float = figure("the board, p50", "ms")
    placed: float = figure("orders accepted by 16 clients", "/s")
    settling: float = figure("the last of them settled after the last answer", "s")


def measure(options: Options) -> Iterator[tuple[str, GrowthResult]]:
    """Measures a small shop, then a large one."""
    large = options.orders or options.size(1_000_000, 20_000)
    _require_disk(OTHER_BYTES + large * BYTES_AN_ORDER)
    for orders, products in ((1_000, 200), (large, options.size(100_000, 2_000))):
        with open_system() as system:
            customers = system.new_customers(CUSTOMERS)
            _fill(system, customers, orders, products, options)
            for _ in range(options.runs):
                yield f"{orders:,} orders, {products:,} products", _run(system, customers, options)


def _require_disk(needed: int) -> None:
    """Raises MeasurementFailed where the disk of the project has less space than this."""
    free = shutil.disk_usage(PROJECT).free
    if free < needed:
        raise MeasurementFailed(
            f"so many orders need {needed / 1e9:,.0f} GB of disk, and {PROJECT} has {free / 1e9:,.0f} GB"
        )


def _fill(system: System, customers: Sequence[int], orders: int, products: int, options: Options) -> None:
    """Writes copies of a placed order, its items and its events; moves the readers of the log past them."""
    found = [each for _ in range(0, products, 10_000) for each in system.new_products(min(products, 10_000))]
    # Thousands of categories and words, as in a large shop.
    system.catalogue.products.update_many({}, [{"$set": _VARIED}])
    # The words by which the search finds them.
    _manage(system, "create_collections")
    example = system.place(system.token(customers[0]), found[0])
    system.await_processing(example)
    system.keep_only()
    _load(system, {"customers": list(customers), "products": found, "example": example}, orders, options)
    for process in all_processes(system.stack.settings, {}):
        system.stack.add(process)
    system.stack.wait_until_ready()


def _load(system: System, given: dict[str, object], orders: int, options: Options) -> None:
    # Making an index of all rows at once takes a fraction of adding each row to it.
    indexes = system.rows(_SECONDARY_INDEXES)
    for name, _ in indexes:
        system.postgres.execute(f"DROP INDEX {name}")
    ranges = [(first, min(first + CHUNK_ORDERS - 1, orders)) for first in range(1, orders + 1, CHUNK_ORDERS)]
    with ThreadPoolExecutor(LOADERS) as loaders:
        for last in loaders.map(partial(_load_range, system, given), ranges):
            options.tell(f"{last:,} of {orders:,} orders loaded")
    system.postgres.execute("SET maintenance_work_mem = '256MB'")
    for name, definition in indexes:
        options.tell(f"{orders:,} orders loaded, making the index {name}")
        system.postgres.execute(definition)
    options.tell(f"{orders:,} orders loaded, VACUUM")
    for statement in (_MOVE_READERS, "VACUUM (ANALYZE)"):
        system.postgres.execute(statement)


def _load_range(system: System, given: dict[str, object], numbers: tuple[int, int]) -> int:
    """Loads the orders of these numbers; returns the last."""
    first, last = numbers
    with psycopg.connect(system.stack.env["DATABASE_URL"]) as connection:
        # Without the triggers that check references: the rows are copies of rows that were checked.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(_LOAD, given | {"first": first, "last": last, "events": EVENTS_AN_ORDER})
    return last


def _run(system: System, customers: Sequence[int], options: Options) -> GrowthResult:
    customer, staff = system.token(customers[1]), system.token(customers[2], is_staff=True)
    [(order,)] = system.rows("SELECT id FROM orders_order WHERE user_id = %s LIMIT 1", customers[1])
    [(number,)] = system.rows("SELECT order_number FROM orders_order WHERE id = %s", order)
    [(product,)] = system.rows("SELECT product_id FROM orders_orderitem WHERE order_id = %s", order)
    word = product[21:]
    with httpx.Client(base_url=system.stack.urls["web"], timeout=60) as http:
        _sign_in(system, http)

        def api(path: str, token: str = staff) -> float:
            return _p50(
                lambda: http.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}), options
            )

        def page(path: str) -> float:
            return _p50(lambda: http.get(path), options)

        def admin(path: str) -> float:
            return page(f"/admin/orders_app/order/{path}")

        lists = {path: page(path) for path in _linked_lists(http.get("/admin/").text)}
        options.tell(", ".join(f"{path} {milliseconds:.0f} ms" for path, milliseconds in lists.items()))

        pages = {
            "own_orders": api("orders/", customer),
            "all_orders": api("orders/"),
            "page_45": api("orders/?page=45"),
            "by_status": api("orders/?status=2,3"),
            "by_number": api(f"orders/?search={number[:9]}"),
            "by_product": api("orders/?search=Lantern 4711"),
            "by_total": api("orders/?ordering=-totalAmount"),
            "one_order": api(f"orders/{order}/", customer),
            "history": api(f"orders/{order}/history/", customer),
            "products": api("products/"),
            "product_search": api(f"products/?search=Lantern{word}"),
            "product_words": api(f"products/?search=lant Lantern{word[:2]}"),
            "product_names": api("products/?ordering=name"),
            "product_category": api(f"products/?category=bench-{word}&ordering=price"),
            "admin_list": admin(""),
            "admin_search": admin(f"?q={number}"),
            "admin_word": admin("?q=Lantern"),
            "admin_order": admin(f"{order}/change/"),
            "admin_start": page("/admin/"),
            "admin_slowest": max(lists.values()),
            "board": page("/board/"),
        }
    placed, settling = _place(system, customers, options)
    return GrowthResult(**pages, placed=placed, settling=settling)


def _linked_lists(page: str) -> Sequence[str]:
    """The lists of the admin to which its start page links, with their filters."""
    return sorted(set(map(html.unescape, re.findall(r'href="(/admin/\w+/\w+/(?:\?[^"]*)?)"', page))))


def _sign_in(system: System, http: httpx.Client) -> None:
    name = f"admin-{uuid.uuid4().hex[:8]}"
    given = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SUPERUSER_EMAIL": "a@example.com"}
    _manage(system, "createsuperuser", "--noinput", "--username", name, **given)
    http.get("/admin/login/").raise_for_status()
    form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
    http.post("/admin/login/?next=/admin/", data=form, headers={"Referer": str(http.base_url)})


def _manage(system: System, *arguments: str, **environment: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    environment = {**system.stack.env, **environment}
    subprocess.run(command, env=environment, cwd=PROJECT, check=True, capture_output=True)


def _p50(request: Callable[[], httpx.Response], options: Options) -> float:
    """Milliseconds until the whole answer has arrived, without the first two requests."""
    taken = []
    for _ in range(options.size(12, 4)):
        started = time.perf_counter()
        request().raise_for_status()
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken[2:])


def _place(system: System, customers: Sequence[int], options: Options) -> tuple[float, float]:
    run = uuid.uuid4().hex[:12]
    products = [product for (product,) in system.rows(_SOME_PRODUCTS)]
    tokens = [system.token(customer) for customer in customers[:50]]
    plan = system.place_plan(
        tokens, products, items=1, run=run, connections=16, seconds=options.seconds(4, 1)
    )
    report = generate(plan)
    system.await_placed(run, len(report.answered), 120)
    return report.rate, time.monotonic() - report.ended


ROW = Row(
    "growth",
    "pages, placing and settling with 1,000 orders and with 1,000,000 (--orders)",
    measure,
    is_usual=False,
)
