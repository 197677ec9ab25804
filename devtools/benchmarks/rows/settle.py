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
from devtools.benchmarks.system import STOCK, System, open_system
from devtools.benchmarks.waiting import wait_until
from kafka_workers.workers import INVENTORY

REQUESTS, RESERVED, REJECTED = "inventory.reserve", "inventory.reserved", "inventory.rejected"


@dataclass(frozen=True, kw_only=True)
class SettleResult:
    """One run."""

    settled: float = figure("settled; raw: batches of 1,000 by pymongo", "/s", raw="raw")
    oversell: int = figure("oversell", "pieces")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, SettleResult]]:
    """Many products, one consumer."""
    count = options.size(20_000, 1_000)
    for result in runs(options, count=count, products=200, stock=STOCK):
        yield f"{count:,} on 200 products", result


def runs(options: Options, *, count: int, products: int, stock: int) -> Iterator[SettleResult]:
    """One inventory consumer in a system of its own."""
    with open_system(processes=False) as system:
        yield from settled_by(system, options, count=count, products=products, stock=stock)


def settled_by(
    system: System, options: Options, *, count: int, products: int, stock: int, consumers: int = 1
) -> Iterator[SettleResult]:
    """So many inventory consumers alone: paused while the topic is filled, then resumed."""
    with closing(RawMongo(system.stack.env["MONGODB_URI"], products)) as raw:
        names = [system.add_worker(INVENTORY, number) for number in range(1, consumers + 1)]
        wait_until(
            lambda: system.topics.readers(INVENTORY.group, REQUESTS) == consumers, "all have partitions", 60
        )
        filling = Filling(system, RawKafka(system.brokers), raw, names)
        filling.run(1_000, system.new_products(products))
        for _ in range(options.runs):
            yield filling.run(count, system.new_products(products, stock))
        for name in names:
            system.stack.remove(name)


@dataclass(frozen=True)
class Filling:
    """The consumers of these names, the raw client, and a producer that fills their topic."""

    system: System
    kafka: RawKafka
    raw: RawMongo
    consumers: Sequence[str]

    def run(self, count: int, products: Sequence[str]) -> SettleResult:
        """Measures the raw client, then the consumers on as many requests; compares what they have done."""
        system, raw_rate = self.system, self.raw.rate(count)
        before = {topic: system.topics.end(topic) for topic in (RESERVED, REJECTED)}
        stock = sum(product["stock"] for product in system.stock_of(products))
        run = uuid.uuid4().hex[:12]
        seconds = self._settle(_reserves(run, count, products))
        answers = {topic: system.topics.end(topic) - start for topic, start in before.items()}
        granted = min(count, stock)
        require_equal("answers", answers, {RESERVED: granted, REJECTED: count - granted})
        ledger = system.catalogue.stock_ledger.find({"_id": {"$regex": f"^{run}"}}, {"status": 1})
        held = sum(entry["status"] == "reserved" for entry in ledger)
        require_equal("orders that hold stock", held, granted)
        require_equal("pieces taken", system.taken(products), granted)
        return SettleResult(settled=count / seconds, oversell=max(0, held - stock), raw=raw_rate)

    def _settle(self, requests: Sequence[Prepared]) -> float:
        """Seconds from the moment at which the consumers go on until all offsets are committed."""
        with closing(self.system.topics.committed_by(INVENTORY.group, REQUESTS)) as committed:
            for name in self.consumers:
                self.system.stack.pause(name)
            self.kafka.send(REQUESTS, requests)
            end = self.system.topics.end(REQUESTS)
            started = time.monotonic()
            for name in self.consumers:
                self.system.stack.resume(name)
            ended = wait_until(lambda: committed() >= end, "all offsets are committed", 90, pause=0.02)
        return ended - started


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


ROW = Row("settle", "reserves that wait: stock, ledger, answers, offsets", measure, runs=5)
