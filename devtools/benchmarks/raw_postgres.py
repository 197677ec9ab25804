"""The raw client of PostgreSQL: writes an order, its item and its event, with one commit for each order."""

import threading
import time
from contextlib import ExitStack

import psycopg
from uuid6 import uuid7

_TABLES = {"raw_order": "orders_order", "raw_item": "orders_orderitem", "raw_event": "order_event"}
_EXAMPLE = """
SELECT to_jsonb(o)::text,
       (SELECT jsonb_agg(to_jsonb(i)) FROM orders_orderitem i WHERE i.order_id = o.id)::text,
       (SELECT to_jsonb(e) - 'id' - 'tx' FROM order_event e WHERE e.order_id = o.id AND version = 1)::text
FROM orders_order o WHERE o.id = %s
"""
_INSERT = """
WITH new_order AS (
    INSERT INTO raw_order SELECT new.* FROM jsonb_populate_record(NULL::raw_order, %(order)s::jsonb
        || jsonb_build_object('id', %(id)s::text, 'order_number', %(number)s::text,
                              'idempotency_key', %(id)s::text)) AS new
), new_items AS (
    INSERT INTO raw_item (order_id, product_id, product_name, quantity, price)
    SELECT %(id)s::uuid, product_id, product_name, quantity, price
    FROM jsonb_populate_recordset(NULL::raw_item, %(items)s::jsonb)
)
INSERT INTO raw_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT %(id)s::uuid, version, type, user_id, data, actor, trace_parent, created_at
FROM jsonb_populate_record(NULL::raw_event, %(event)s::jsonb)
"""


class RawPostgres:
    """Writes copies of a placed order into tables with the same columns and indexes."""

    def __init__(self, database_url: str, order_id: str) -> None:
        self._url = database_url
        with psycopg.connect(database_url, autocommit=True) as connection:
            for raw, table in _TABLES.items():
                connection.execute(f"CREATE TABLE IF NOT EXISTS {raw} (LIKE {table} INCLUDING ALL)")
            found = connection.execute(_EXAMPLE, [order_id]).fetchone()
        assert found is not None
        self._example = dict(zip(("order", "items", "event"), found, strict=True))

    def rate(self, clients: int, seconds: float) -> float:
        """Orders per second that `clients` connections write, each its next one after a commit."""
        counts = [0] * clients
        with ExitStack() as stack:
            connections = [
                stack.enter_context(psycopg.connect(self._url, autocommit=True)) for _ in range(clients)
            ]
            started = time.monotonic()
            threads = [
                threading.Thread(target=self._write, args=(connection, counts, index, started + seconds))
                for index, connection in enumerate(connections)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return sum(counts) / (time.monotonic() - started)

    def _write(self, connection: psycopg.Connection, counts: list[int], index: int, end: float) -> None:
        while time.monotonic() < end:
            new_id = uuid7()
            row = {**self._example, "id": str(new_id), "number": new_id.hex[-12:]}
            connection.execute(_INSERT, row)
            counts[index] += 1
