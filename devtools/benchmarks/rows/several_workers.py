"""Several processes of a worker: inventory consumers that share the requests, and a relay with a standby."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from devtools.benchmarks.figures import Options, Row
from devtools.benchmarks.order_log import await_leader, place_example
from devtools.benchmarks.raw_kafka import RawKafka
from devtools.benchmarks.rows.relay import BacklogResult, publish_backlog, raw_rate
from devtools.benchmarks.rows.settle import settled_by
from devtools.benchmarks.system import STOCK, System, open_system
from devtools.benchmarks.waiting import wait_until
from kafka_workers.workers import RELAY


def measure(options: Options) -> Iterator[tuple[str, Any]]:
    """1, 2 and 3 inventory consumers; then one relay, and one with a standby, in turn."""
    with open_system(processes=False) as system:
        for consumers in (1, 2, 3):
            yield from _settled(system, options, consumers)
    with open_system() as system:
        example = place_example(system)
        system.keep_only(RELAY.name)
        publish_backlog(system, example, 2_000)
        for _ in range(options.runs):
            yield "one relay, a backlog", _backlog(system, example, options)
            standby = system.add_worker(RELAY, 2)
            wait_until(partial(system.says_that_it_works, standby), "the standby works")
            yield "one relay and a standby, a backlog", _backlog(system, example, options)
            system.stack.remove(standby)
            await_leader(system)


def _settled(system: System, options: Options, consumers: int) -> Iterator[tuple[str, Any]]:
    count = options.size(20_000, 1_000)
    case = f"{consumers} inventory consumer{'s' * (consumers > 1)}, {count:,} on 200 products"
    for result in settled_by(system, options, count=count, products=200, stock=STOCK, consumers=consumers):
        yield case, result


def _backlog(system: System, example: str, options: Options) -> BacklogResult:
    count = options.size(40_000, 1_000)
    beside = raw_rate(system, RawKafka(system.brokers), count)
    return BacklogResult(messages=publish_backlog(system, example, count), raw=beside)


ROW = Row("several-workers", "1 to 3 inventory consumers; a relay alone, and with a standby", measure)
