"""The state of the system after a run, read once from outside, for the laws to judge."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bson import ObjectId

from devtools.driver.gateway import Payment
from devtools.driver.kafka import Record
from devtools.faults.broker import DEAD_LETTERS, RETRIES, TOPICS, Offsets
from devtools.faults.figures import DIFFERING_FIGURES
from devtools.faults.observations import Observations
from devtools.faults.system import Document, System

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
    """The state after one run. Orders, ledger entries and messages by order id; only those of the run."""

    observations: Observations
    orders: Mapping[str, Document]
    # (order id, idempotency key, version), as PostgreSQL has them.
    rows: Sequence[tuple[str, str, int]]
    histories: Mapping[str, Sequence[Event]]
    products: Mapping[str, Document]
    ledger: Mapping[str, Document]
    # The pieces of the movements of each product.
    moved: Counter[str]
    messages: Mapping[str, Sequence[Record]]
    # At the gateway, by order.
    payments: Mapping[str, Sequence[Payment]]
    # How many mails tell of an event, by its id.
    mails: Counter[str]
    # (order id, expected, known) of the orders whose figures differ.
    differing_figures: Sequence[tuple[str, str, str | None]]
    unfinished: Sequence[str]
    replay: str

    def sent(self, key: str, *topics: str) -> list[Record]:
        """The messages with this key on these topics."""
        return [record for record in self.messages.get(key, ()) if record.topic in topics]

    def trail(self, order_id: str) -> str:
        """All evidence about one order, as text from which a developer finds out what happened to it."""
        messages = [
            f"    {record.topic}/{record.partition}/{record.offset} "
            f"{record.headers.get('ce_id', 'no ce_id')} {record.value.decode(errors='replace')[:400]}"
            for record in self.messages.get(order_id, ())[:_SHOWN]
        ]
        parts = [
            f"  placed: {self.observations.placed.get(order_id)}",
            f"  order: {self.orders.get(order_id)}",
            f"  history: {[tuple(event) for event in self.histories.get(order_id, ())]}",
            f"  ledger: {self.ledger.get(order_id)}",
            f"  at the gateway: {self.payments.get(order_id)}",
            "  messages:",
            *messages,
        ]
        return "\n".join(parts)


def gather(
    system: System, observations: Observations, start: Offsets, since: datetime, unfinished: Sequence[str]
) -> Evidence:
    """Reads the evidence; `start` and `since` say where the run began."""
    run = f"{observations.run}-%"
    return Evidence(
        observations=observations,
        orders=_orders(system, observations, since),
        rows=[(order_id, key, version) for order_id, key, version in system.rows(_ROWS, run)],
        histories=_histories(system.rows(_EVENTS, run)),
        products=_products(system, observations),
        ledger=_ledger(system, observations),
        moved=_moved(system, observations),
        messages=_messages(system, observations, start),
        payments=_payments(system, since),
        mails=Counter(mail.event for mail in system.inbox.mails(since=since.timestamp())),
        differing_figures=[
            (order_id, expected, known) for order_id, expected, known in system.rows(DIFFERING_FIGURES, run)
        ],
        unfinished=unfinished,
        replay=_replay(system),
    )


def duplicates(evidence: Evidence) -> int:
    """How many messages and requests repeated an earlier one."""
    records = [
        record for records in evidence.messages.values() for record in records if record.topic in TOPICS
    ]
    different = {(record.topic, record.key, record.value) for record in records}
    return len(records) - len(different) + evidence.observations.repeats


def _orders(system: System, observations: Observations, since: datetime) -> dict[str, Document]:
    """The orders as the API shows them to staff."""
    found: dict[str, Document] = {}
    query: dict[str, Any] = {
        "createdAfter": since.isoformat(),
        "ordering": "createdAt",
        "pageSize": _PAGE_SIZE,
        "page": 1,
    }
    while True:
        answer = system.shop.staff.call("GET", "orders/", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.update((order["id"], order) for order in page["results"] if order["id"] in observations.placed)
        if not page["next"]:
            return found
        query["page"] += 1


def _histories(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Event]]:
    histories: defaultdict[str, list[Event]] = defaultdict(list)
    for order_id, version, kind in rows:
        histories[order_id].append(Event(version, kind))
    return dict(histories)


def _products(system: System, observations: Observations) -> dict[str, Document]:
    ids = [ObjectId(product) for product in observations.received]
    return {str(product["_id"]): product for product in system.documents("products", {"_id": {"$in": ids}})}


def _ledger(system: System, observations: Observations) -> dict[str, Document]:
    """The entries of all orders that name a product of the run."""
    names = [{f"lines.{product}": {"$exists": True}} for product in observations.received]
    ours = {"_id": {"$in": list(observations.placed)}}
    return {entry["_id"]: entry for entry in system.documents("stock_ledger", {"$or": [ours, *names]})}


def _moved(system: System, observations: Observations) -> Counter[str]:
    moved: Counter[str] = Counter()
    ids = [ObjectId(product) for product in observations.received]
    for movement in system.documents("stock_movements", {"product": {"$in": ids}}):
        moved[str(movement["product"])] += movement["quantity"]
    return moved


def _messages(system: System, observations: Observations, start: Offsets) -> dict[str, list[Record]]:
    end = system.broker.ends([*TOPICS, *DEAD_LETTERS, *RETRIES])
    messages: defaultdict[str, list[Record]] = defaultdict(list)
    for record in system.broker.read(start, end):
        if observations.belongs_to_run(record.key):
            messages[record.key].append(record)
    return dict(messages)


def _payments(system: System, since: datetime) -> dict[str, list[Payment]]:
    payments: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in system.books.payments(since.timestamp()):
        payments[payment.order_id].append(payment)
    return dict(payments)


def _replay(system: System) -> str:
    """The output of replay_orders when it fails, else nothing."""
    done = system.manage("replay_orders")
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]
