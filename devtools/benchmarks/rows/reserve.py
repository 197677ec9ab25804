"""Reservations over HTTP with a service key: each request reserves one line for a new order."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devtools.benchmarks.figures import Options, Row, figure, percentile, require_equal
from devtools.benchmarks.load import Plan, generate
from devtools.benchmarks.raw_web import RawWeb, raw_web
from devtools.benchmarks.system import System, open_system

CLIENTS = 32
PRODUCTS = 200
REPEATED = 50


@dataclass(frozen=True, kw_only=True)
class ReserveResult:
    """One run."""

    reserved: float = figure("reserved; raw: DRF POST with one INSERT", "/s", raw="raw")
    p50: float = figure("answered, p50", "ms")
    p99: float = figure("answered, p99", "ms")
    generator: float = figure("CPU of the generator a request", "µs")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, ReserveResult]]:
    """32 clients, distinct orders."""
    with open_system() as system, raw_web(system, b'{"quantity":1,"orderId":"an-order"}') as web:
        products = system.new_products(PRODUCTS)
        _run(system, web, products, 1.0)
        for _ in range(options.runs):
            yield f"{CLIENTS} clients, distinct orders", _run(system, web, products, options.seconds(5, 0.5))


def _run(system: System, web: RawWeb, products: list[str], seconds: float) -> ReserveResult:
    raw = web.rate(CLIENTS, min(2.0, seconds))
    taken = system.taken(products)
    run = uuid.uuid4().hex[:12]
    report = generate(_plan(system, run, products, connections=CLIENTS, seconds=seconds))
    # Repeated requests are answered and reserve nothing more.
    again = min(REPEATED, len(report.answered))
    generate(_plan(system, run, products, connections=1, seconds=30, limit=again))
    count = len(report.answered)
    require_equal("pieces taken", system.taken(products) - taken, count)
    entries = system.catalogue.stock_ledger.count_documents({"_id": {"$regex": f"^{run}"}})
    require_equal("entries of the ledger", entries, count)
    return ReserveResult(
        reserved=report.rate,
        p50=1000 * percentile(report.latencies, 50),
        p99=1000 * percentile(report.latencies, 99),
        generator=report.cpu_micros,
        raw=raw,
    )


def _plan(system: System, run: str, products: list[str], **load: Any) -> Plan:
    return system.plan(system.reservations(products, run=run), status=200, **load)


ROW = Row("reserve", "reserving over HTTP with the service's key", measure)
