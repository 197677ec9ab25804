"""All that can be seen from outside after a run, read once, for the laws to judge."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bson import ObjectId

from devtools.driver.kafka import Record
from devtools.faults.arena import Arena, Document
from devtools.faults.broker import DEAD_LETTERS, RETRIES, TOPICS, Offsets
from devtools.faults.journal import Journal

_ROWS = "SELECT id::text, idempotency_key, version FROM orders_order WHERE idempotency_key LIKE %s"
_EVENTS = """
SELECT order_id::text, version, type FROM order_event
WHERE order_id IN (SELECT id FROM orders_order WHERE idempotency_key LIKE %s) ORDER BY order_id, version
"""
_PAGE_SIZE = 100
_SHOWN = 20


class Event(NamedTuple):
    """One event of an order's history."""

    version: int
    type: str


@dataclass
class Evidence:
    """One run. Orders, ledger entries and messages by order id; only those that belong to the run."""

    journal: Journal
    orders: Mapping[str, Document]
    # (order id, idempotency key, version), as PostgreSQL has them.
    rows: Sequence[tuple[str, str, int]]
    histories: Mapping[str, Sequence[Event]]
    products: Mapping[str, Document]
    ledger: Mapping[str, Document]
    messages: Mapping[str, Sequence[Record]]
    unquiet: Sequence[str]
    replay: str

    def sent(self, key: str, *topics: str) -> list[Record]:
        """The messages with this key on these topics."""
        return [record for record in self.messages.get(key, ()) if record.topic in topics]

    def trail(self, order_id: str) -> str:
        """Everything there is about one order, for somebody who has to find out what happened to it."""
        messages = [
            f"    {record.topic}/{record.partition}/{record.offset} "
            f"{record.headers.get('ce_id', 'no ce_id')} {record.value.decode(errors='replace')[:400]}"
            for record in self.messages.get(order_id, ())[:_SHOWN]
        ]
        parts = [
            f"  placed: {self.journal.placed.get(order_id)}",
            f"  order: {self.orders.get(order_id)}",
            f"  history: {[tuple(event) for event in self.histories.get(order_id, ())]}",
            f"  ledger: {self.ledger.get(order_id)}",
            "  messages:",
            *messages,
        ]
        return "\n".join(parts)


def gather(
    arena: Arena, journal: Journal, start: Offsets, since: datetime, unquiet: Sequence[str]
) -> Evidence:
    """Read it all; `start` and `since` say where the run began."""
    run = f"{journal.run}-%"
    return Evidence(
        journal=journal,
        orders=_orders(arena, journal, since),
        rows=[(order_id, key, version) for order_id, key, version in arena.rows(_ROWS, run)],
        histories=_histories(arena.rows(_EVENTS, run)),
        products=_products(arena, journal),
        ledger=_ledger(arena, journal),
        messages=_messages(arena, journal, start),
        unquiet=unquiet,
        replay=_replay(arena),
    )


def duplicates(evidence: Evidence) -> int:
    """How many messages and requests said again what had been said."""
    records = [
        record for records in evidence.messages.values() for record in records if record.topic in TOPICS
    ]
    different = {(record.topic, record.key, record.value) for record in records}
    return len(records) - len(different) + evidence.journal.repeats


def _orders(arena: Arena, journal: Journal, since: datetime) -> dict[str, Document]:
    """The orders as the API shows them to staff."""
    found: dict[str, Document] = {}
    query: dict[str, Any] = {
        "createdAfter": since.isoformat(),
        "ordering": "createdAt",
        "pageSize": _PAGE_SIZE,
        "page": 1,
    }
    while True:
        answer = arena.shop.staff.call("GET", "orders/", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.update((order["id"], order) for order in page["results"] if order["id"] in journal.placed)
        if not page["next"]:
            return found
        query["page"] += 1


def _histories(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Event]]:
    histories: defaultdict[str, list[Event]] = defaultdict(list)
    for order_id, version, kind in rows:
        histories[order_id].append(Event(version, kind))
    return dict(histories)


def _products(arena: Arena, journal: Journal) -> dict[str, Document]:
    ids = [ObjectId(product) for product in journal.received]
    return {str(product["_id"]): product for product in arena.documents("products", {"_id": {"$in": ids}})}


def _ledger(arena: Arena, journal: Journal) -> dict[str, Document]:
    """The entries of all orders that name a product of the run."""
    names = [{f"lines.{product}": {"$exists": True}} for product in journal.received]
    ours = {"_id": {"$in": list(journal.placed)}}
    return {entry["_id"]: entry for entry in arena.documents("stock_ledger", {"$or": [ours, *names]})}


def _messages(arena: Arena, journal: Journal, start: Offsets) -> dict[str, list[Record]]:
    end = arena.broker.ends([*TOPICS, *DEAD_LETTERS, *RETRIES])
    messages: defaultdict[str, list[Record]] = defaultdict(list)
    for record in arena.broker.read(start, end):
        if journal.is_ours(record.key):
            messages[record.key].append(record)
    return dict(messages)


def _replay(arena: Arena) -> str:
    """What replay_orders has to say, where that is not that all is well."""
    done = arena.manage("replay_orders")
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]
