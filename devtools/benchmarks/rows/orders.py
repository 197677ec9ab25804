"""Orders placed over HTTP, closed loop, and the time until they are Processing, in the figures *settled*."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, make_dataclass
from typing import Any

from devtools.benchmarks.figures import Options, Row, figure, percentile, require_equal
from devtools.benchmarks.load import Report, generate
from devtools.benchmarks.placing import order_body
from devtools.benchmarks.processing_watch import ProcessingWatch
from devtools.benchmarks.raw_postgres import RawPostgres
from devtools.benchmarks.raw_web import RawWeb, raw_web
from devtools.benchmarks.system import System, open_system
from kafka_workers.workers import WORKERS

CUSTOMERS = 50
PRODUCTS = 200
_SETTLING_SECONDS = 120.0
_CASES = (1, 1), (1, 16), (1, 64), (3, 64)
"""Items and clients."""
_QUICK_CASES = ((1, 16),)


@dataclass(frozen=True, kw_only=True)
class OrdersResult:
    """One run of one case."""

    accepted: float = figure("accepted; raw: DRF POST with one INSERT", "/s", raw="raw_web")
    of_sql: float = figure("accepted; raw: order, item, event by psycopg", "/s", raw="raw_sql")
    p50: float = figure("answered, p50", "ms")
    p95: float = figure("answered, p95", "ms")
    p99: float = figure("answered, p99", "ms")
    settled: float = figure("settled", "/s")
    drained: float = figure("last one settled after the last answer", "s")
    settling_p95: float = figure("from answer to Processing, p95", "ms")
    lost: int = figure("lost", "orders")
    generator: float = figure("CPU of the generator a request", "µs")
    raw_web: float
    raw_sql: float


_LABELS = {
    "web": "web, both processes",
    "sockets": "sockets",
    **{worker.name: worker.title for worker in WORKERS if not worker.setting},
}


def _field(name: str) -> str:
    """The name of a process as one of a field."""
    return name.replace("-", "_")


MemoryResult = make_dataclass(
    "MemoryResult",
    [(_field(name), float, figure(label, "MiB")) for name, label in _LABELS.items()],
    frozen=True,
)
"""Memory of each process after a round of all cases (PSS, children included)."""
_SERVERS = {"postgres": "PostgreSQL", "mongodb": "MongoDB", "kafka": "Kafka"}
CpuResult = make_dataclass(
    "CpuResult",
    [(_field(name), float, figure(label, "µs")) for name, label in (_LABELS | _SERVERS).items()]
    + [("whole", float, figure("all of them", "µs"))],
    frozen=True,
)
"""CPU time that an order takes in each process and server, until all orders are settled."""


@dataclass(frozen=True)
class Bench:
    """The system, the raw clients and the data of all cases."""

    system: System
    tokens: Sequence[str]
    products: Sequence[str]
    web: RawWeb
    sql: RawPostgres
    options: Options

    def run(self, case: str, *, items: int, clients: int, seconds: float) -> Iterator[tuple[str, Any]]:
        """Measures the raw clients, then places orders for `seconds` and waits until all are Processing."""
        raw_seconds = self.options.seconds(0.7, 0.3)
        raw_web = self.web.rate(clients, raw_seconds)
        raw_sql = self.sql.rate(clients, raw_seconds)
        taken, cpu = self.system.taken(self.products), self.system.cpu_seconds()
        report, settled = self.place(items=items, clients=clients, seconds=seconds)
        used, count = self.system.cpu_seconds(), len(report.answered)
        require_equal("pieces taken of the products", self.system.taken(self.products) - taken, count * items)
        result = OrdersResult(
            accepted=report.rate,
            of_sql=report.rate,
            p50=1000 * percentile(report.latencies, 50),
            p95=1000 * percentile(report.latencies, 95),
            p99=1000 * percentile(report.latencies, 99),
            settled=len(settled) / (max(settled.values()) - report.started),
            drained=max(settled.values()) - report.ended,
            settling_p95=1000 * percentile((settled[order] - when for order, when in report.answered), 95),
            lost=count - len(settled),
            generator=report.cpu_micros,
            raw_web=raw_web,
            raw_sql=raw_sql,
        )
        yield case, result
        micros = {name: 1e6 * (seconds - cpu[name]) / count for name, seconds in used.items()}
        shown = {_field(name): micros.get(name, 0.0) for name in _LABELS | _SERVERS}
        yield f"{case}: CPU an order", CpuResult(**shown, whole=sum(micros.values()))

    def memory(self) -> Any:
        """The memory of each process now: a MemoryResult."""
        memory = self.system.memory()
        return MemoryResult(**{_field(name): memory[name] for name in _LABELS})

    def place(self, *, items: int, clients: int, seconds: float) -> tuple[Report, dict[str, float]]:
        """Places orders and waits; returns the report, and when each order became Processing."""
        run = uuid.uuid4().hex[:12]
        with ProcessingWatch(self.system.stack.env["DATABASE_URL"]) as watch:
            report = generate(
                self.system.place_plan(
                    self.tokens, self.products, items=items, run=run, connections=clients, seconds=seconds
                )
            )
            self.system.await_placed(run, len(report.answered), _SETTLING_SECONDS)
            watch.await_orders({order for order, _ in report.answered})
        return report, {order: watch.processing_at[order] for order, _ in report.answered}


def measure(options: Options) -> Iterator[tuple[str, Any]]:
    """All cases in rounds, or the sustained one alone."""
    with open_system() as system, open_bench(system, options) as bench:
        yield from sustained(bench) if options.sustained else cases(bench)


@contextmanager
def open_bench(system: System, options: Options) -> Iterator[Bench]:
    """Customers, products and raw clients, on a system that has taken orders for some seconds."""
    tokens = [system.token(user) for user in system.new_customers(CUSTOMERS)]
    products = system.new_products(PRODUCTS)
    example = system.place(tokens[0], products[0])
    sql = RawPostgres(system.stack.env["DATABASE_URL"], example)
    with raw_web(system, order_body(products[:1])) as web:
        bench = Bench(system, tokens, products, web, sql, options)
        bench.place(items=1, clients=16, seconds=options.seconds(3, 0.5))
        yield bench


def cases(bench: Bench) -> Iterator[tuple[str, Any]]:
    """1 item by 1, 16 and 64 clients, 3 items by 64; then 16 clients for a while."""
    options = bench.options
    for _ in range(options.runs):
        for items, clients in _QUICK_CASES if options.quick else _CASES:
            case = f"{items} item{'s' * (items > 1)}, {clients} client{'s' * (clients > 1)}"
            yield from bench.run(case, items=items, clients=clients, seconds=options.seconds(2, 0.5))
        yield "memory after a round", bench.memory()
        seconds = options.seconds(20, 1)
        yield from bench.run(f"1 item, 16 clients for {seconds:.0f} s", items=1, clients=16, seconds=seconds)


def sustained(bench: Bench) -> Iterator[tuple[str, Any]]:
    """16 clients for the time of --sustained."""
    seconds = bench.options.sustained
    for _ in range(bench.options.runs):
        yield from bench.run(f"{seconds:.0f} s, 16 clients", items=1, clients=16, seconds=seconds)
        yield "memory afterwards", bench.memory()


ROW = Row("orders", "orders placed over HTTP, closed loop, and settled", measure, runs=5)
