"""Orders, settling and relaying on three brokers, with each message on all three and acknowledged by two."""

from collections.abc import Iterator
from typing import Any

from devtools.benchmarks.figures import Options, Row
from devtools.benchmarks.order_log import await_leader, place_example
from devtools.benchmarks.raw_kafka import RawKafka
from devtools.benchmarks.rows.orders import open_bench
from devtools.benchmarks.rows.relay import BacklogResult, measure_backlog, publish_backlog
from devtools.benchmarks.rows.settle import settled_by
from devtools.benchmarks.system import STOCK, System, open_system
from kafka_workers.workers import RELAY

BROKERS = 3


def measure(options: Options) -> Iterator[tuple[str, Any]]:
    """The rows orders, settle and relay, short."""
    with open_system(brokers=BROKERS) as system:
        yield from _orders(system, options)
        example, count = place_example(system), options.size(20_000, 1_000)
        system.keep_only()
        for result in settled_by(system, options, count=count, products=200, stock=STOCK):
            yield f"{count:,} on 200 products", result
        yield from _backlogs(system, example, options)


def _orders(system: System, options: Options) -> Iterator[tuple[str, Any]]:
    with open_bench(system, options) as bench:
        for _ in range(options.runs):
            for clients in (16,) if options.quick else (16, 64):
                seconds = options.seconds(2, 0.5)
                yield from bench.run(f"1 item, {clients} clients", items=1, clients=clients, seconds=seconds)


def _backlogs(system: System, example: str, options: Options) -> Iterator[tuple[str, BacklogResult]]:
    raw, count = RawKafka(system.brokers), options.size(20_000, 1_000)
    system.add_worker(RELAY)
    await_leader(system)
    publish_backlog(system, example, 1_000)
    for _ in range(options.runs):
        yield f"a backlog of {2 * count:,} messages", measure_backlog(system, raw, example, count)


ROW = Row("three-brokers", "orders, settle and relay on three brokers, each message on all", measure)
