"""Several processes of a worker: inventory consumers that share the requests, and a relay with a standby."""

from collections.abc import Iterator
from typing import Any

from devtools.benchmarks.figures import Options, Row
from devtools.benchmarks.order_log import place_example, standby
from devtools.benchmarks.raw_kafka import RawKafka
from devtools.benchmarks.rows.relay import measure_backlog, publish_backlog
from devtools.benchmarks.rows.settle import settled_by
from devtools.benchmarks.system import STOCK, System, open_system
from kafka_workers.workers import RELAY


def measure(options: Options) -> Iterator[tuple[str, Any]]:
    """1, 2 and 3 inventory consumers; then one relay, and one with a standby, in turn."""
    with open_system(processes=False) as system:
        for consumers in (1, 2, 3):
            yield from _settled(system, options, consumers)
    with open_system() as system:
        example, raw = place_example(system), RawKafka(system.brokers)
        count = options.size(40_000, 1_000)
        system.keep_only(RELAY.name)
        publish_backlog(system, example, 2_000)
        for _ in range(options.runs):
            yield "one relay, a backlog", measure_backlog(system, raw, example, count)
            with standby(system):
                yield "one relay and a standby, a backlog", measure_backlog(system, raw, example, count)


def _settled(system: System, options: Options, consumers: int) -> Iterator[tuple[str, Any]]:
    count = options.size(20_000, 1_000)
    case = f"{consumers} inventory consumer{'s' * (consumers > 1)}, {count:,} on 200 products"
    for result in settled_by(system, options, count=count, products=200, stock=STOCK, consumers=consumers):
        yield case, result


ROW = Row("several-workers", "1 to 3 inventory consumers; a relay alone, and with a standby", measure)
