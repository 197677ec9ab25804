"""Reserve requests that wait in the topic, until their stock, ledger, answers and offsets are written."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from devtools.benchmarks.figures import Options, Row, figure, require_equal
from devtools.benchmarks.raw_kafka import Prepared, RawKafka
from devtools.benchmarks.raw_mongo import RawMongo
from devtools.benchmarks.system import STOCK, System, open_system, wait_until
from kafka_workers.workers import INVENTORY

REQUESTS, RESERVED, REJECTED = "inventory.reserve", "inventory.reserved", "inventory.rejected"


@dataclass(frozen=True, kw_only=True)
class SettleResult:
    """One run."""

    settled: float = figure("settled; raw: batches of 1,000 by pymongo", "/s", raw="raw")
    oversell: int = figure("oversell", "pieces")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, SettleResult]]:
    """Many products."""
    count = options.size(20_000, 1_000)
    for result in runs(options, count=count, products=200, stock=STOCK):
        yield f"{count:,} on 200 products", result


def runs(options: Options, *, count: int, products: int, stock: int) -> Iterator[SettleResult]:
    """The inventory consumer alone: paused while the topic is filled, then resumed."""
    with open_system(processes=False) as system, closing(_raw(system, products)) as raw:
        system.add_worker(INVENTORY)
        kafka = RawKafka(system.brokers)
        _run(system, kafka, raw, 1_000, system.new_products(products))
        for _ in range(options.runs):
            yield _run(system, kafka, raw, count, system.new_products(products, stock))


def _raw(system: System, products: int) -> RawMongo:
    return RawMongo(system.stack.env["MONGODB_URI"], products)


def _run(system: System, kafka: RawKafka, raw: RawMongo, count: int, products: Sequence[str]) -> SettleResult:
    raw_rate = raw.rate(count)
    before = {topic: system.ends(topic) for topic in (RESERVED, REJECTED)}
    stock = sum(product["stock"] for product in system.stock_of(products))
    run = uuid.uuid4().hex[:12]
    requests = _reserves(run, count, products)
    with closing(system.committed_by(INVENTORY.group, REQUESTS)) as committed:
        system.stack.pause(INVENTORY.name)
        kafka.send(REQUESTS, requests)
        end = system.ends(REQUESTS)
        started = time.monotonic()
        system.stack.resume(INVENTORY.name)
        ended = wait_until(lambda: committed() >= end, "all offsets are committed", 90, pause=0.02)
    answers = {topic: system.ends(topic) - start for topic, start in before.items()}
    granted = min(count, stock)
    require_equal("answers", answers, {RESERVED: granted, REJECTED: count - granted})
    ledger = system.catalogue.stock_ledger.find({"_id": {"$regex": f"^{run}"}}, {"status": 1})
    held = sum(entry["status"] == "reserved" for entry in ledger)
    require_equal("orders that hold stock", held, granted)
    require_equal("pieces taken", system.taken(products), granted)
    return SettleResult(settled=count / (ended - started), oversell=max(0, held - stock), raw=raw_rate)


def _reserves(run: str, count: int, products: Sequence[str]) -> list[Prepared]:
    """Requests of one piece each, as an external service without CloudEvents headers sends them."""
    return [_reserve(f"{run}-{number}", products[number % len(products)]) for number in range(count)]


def _reserve(order_id: str, product: str) -> Prepared:
    item = {"productId": product, "productName": "Lantern", "quantity": 1, "price": "10.00"}
    value = {
        "orderId": order_id,
        "orderNumber": "SB-BENC-HBEN",
        "items": [item],
        "timestamp": "2026-01-01T00:00:00Z",
    }
    return order_id, json.dumps(value).encode(), []


ROW = Row("settle", "reserves that wait: stock, ledger, answers, offsets", measure)
