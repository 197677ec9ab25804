"""The time until an order's stock is reserved, it is Processing, and its customer's socket gets a message."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection

import psycopg

from devtools.benchmarks.background import Background
from devtools.benchmarks.figures import Options, Row, figure, percentile
from devtools.benchmarks.ledger_watch import LedgerWatch
from devtools.benchmarks.load import RunningLoad, generate
from devtools.benchmarks.order_socket import OrderSocket
from devtools.benchmarks.placing import order_body, place_on
from devtools.benchmarks.raw_postgres import RawPostgres
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until

PROBES_A_SECOND = 20
_PAUSE_SECONDS = 0.002
_PROCESSING = "SELECT id::text FROM orders_order WHERE id = ANY(%s::uuid[]) AND status = 2"


@dataclass(frozen=True, kw_only=True)
class LatencyResult:
    """One run; times from the moment at which the POST was due."""

    answered_p50: float = figure("POST → 201, p50; raw: the rows by psycopg", "ms", raw="raw")
    answered_p95: float = figure("POST → 201, p95", "ms")
    stock_p50: float = figure("POST → stock taken, p50", "ms")
    stock_p95: float = figure("POST → stock taken, p95", "ms")
    processing_p50: float = figure("POST → Processing, p50", "ms")
    processing_p95: float = figure("POST → Processing, p95", "ms")
    confirmed_p50: float = figure("POST → order:confirmed heard, p50", "ms")
    confirmed_p95: float = figure("POST → order:confirmed heard, p95", "ms")
    raw: float


class StatusWatch(Background):
    """Queries every 2 ms which of the awaited orders are Processing."""

    def __init__(self, query: Callable[[list[str]], list[str]]) -> None:
        super().__init__()
        self.reached: dict[str, float] = {}
        self._query = query
        self._waiting: set[str] = set()

    def wait_for(self, order_id: str) -> None:
        """Adds an order to the awaited ones."""
        self._waiting.add(order_id)

    def run(self) -> None:
        """Queries until the watch ends, while there are awaited orders."""
        while not self.stopped.wait(_PAUSE_SECONDS):
            if waiting := list(self._waiting):
                found = self._query(waiting)
                now = time.monotonic()
                self.reached |= dict.fromkeys(found, now)
                self._waiting.difference_update(found)


def measure(options: Options) -> Iterator[tuple[str, LatencyResult]]:
    """One client alone, then the same client while others place orders at half of the saturation rate."""
    with open_system() as system:
        token, *others = [system.token(user) for user in system.new_customers(51)]
        products = system.new_products(200)
        raw = RawPostgres(system.stack.env["DATABASE_URL"], system.place(token, products[0]))
        saturation = _saturation_rate(system, others, products, options.seconds(5, 1))
        for _ in range(options.runs):
            yield "one client", _probe(system, token, products, raw, options)
        for _ in range(options.runs):
            run = uuid.uuid4().hex[:12]
            seconds = options.seconds(8, 1.5)
            load = RunningLoad(
                system.place_plan(
                    others,
                    products,
                    items=1,
                    run=run,
                    connections=64,
                    seconds=seconds + 2,
                    rate=max(1.0, saturation / 2),
                )
            )
            result = _probe(system, token, products, raw, options)
            system.await_placed(run, len(load.report().answered))
            yield "the same at half of saturation", result


def _saturation_rate(system: System, tokens: Sequence[str], products: Sequence[str], seconds: float) -> float:
    """Orders per second, from the first POST of 16 clients until the last order is Processing."""
    run = uuid.uuid4().hex[:12]
    report = generate(system.place_plan(tokens, products, items=1, run=run, connections=16, seconds=seconds))
    system.await_placed(run, len(report.answered))
    return len(report.answered) / (time.monotonic() - report.started)


def _probe(
    system: System, token: str, products: Sequence[str], raw: RawPostgres, options: Options
) -> LatencyResult:
    raw_rate = raw.rate(1, 0.5)
    with ExitStack() as stack:
        listener = stack.enter_context(OrderSocket(system.stack.urls["sockets"], token))
        stock = stack.enter_context(LedgerWatch(system.catalogue["stock_ledger"]))
        processing = stack.enter_context(StatusWatch(_are_processing(system, stack)))
        connection = stack.enter_context(
            closing(HTTPConnection("127.0.0.1", system.stack.settings.ports.web, timeout=30))
        )
        due: dict[str, float] = {}
        answered: list[float] = []
        started = time.monotonic() + 0.1
        for number in range(int(options.seconds(8, 1.5) * PROBES_A_SECOND)):
            when = started + number / PROBES_A_SECOND
            time.sleep(max(0.0, when - time.monotonic()))
            order = place_on(connection, token, order_body([products[number % len(products)]]))
            answered.append(time.monotonic() - when)
            due[order] = when
            processing.wait_for(order)
        reached = (stock.reached, processing.reached, listener.heard)
        wait_until(lambda: all(due.keys() <= each.keys() for each in reached), "every probe is confirmed")
    return _result(
        answered, 1000 / raw_rate, *[[each[order] - due[order] for order in due] for each in reached]
    )


def _result(
    answered: list[float], raw: float, stock: list[float], processing: list[float], confirmed: list[float]
) -> LatencyResult:
    steps = {"answered": answered, "stock": stock, "processing": processing, "confirmed": confirmed}
    figures = {
        f"{step}_p{percent}": 1000 * percentile(values, percent)
        for step, values in steps.items()
        for percent in (50, 95)
    }
    return LatencyResult(**figures, raw=raw)


def _are_processing(system: System, stack: ExitStack) -> Callable[[list[str]], list[str]]:
    connection = stack.enter_context(psycopg.connect(system.stack.env["DATABASE_URL"], autocommit=True))
    return lambda orders: [order for (order,) in connection.execute(_PROCESSING, [orders]).fetchall()]


ROW = Row(
    "latency",
    "from the POST to stock, Processing and the socket, open loop",
    measure,
    runs=5,
)
