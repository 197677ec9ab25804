"""How soon the stock of an order is taken, the order is Processing, and its customer hears of it."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection

import psycopg
from pymongo import MongoClient
from pymongo.collection import Collection

from devtools.benchmarks.background import Background
from devtools.benchmarks.figures import Effort, Row, figure, percentile
from devtools.benchmarks.listener import Listener
from devtools.benchmarks.load import RunningLoad, generate
from devtools.benchmarks.raw_postgres import RawPostgres
from devtools.benchmarks.system import Document, System, open_system, order_body, place_on, wait_until

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


class Told(Background):
    """Hears from MongoDB's change stream, as soon as a majority has it, which orders have a ledger entry.

    It is written with the stock. To ask again and again would keep the servers from what is measured.
    """

    def __init__(self, ledger: Collection[Document]) -> None:
        super().__init__()
        self.reached: dict[str, float] = {}
        self._stream = ledger.watch([{"$project": {"documentKey": 1}}], max_await_time_ms=100)

    def run(self) -> None:
        """Listen until the end."""
        with self._stream:
            while not self.stopped.is_set():
                if change := self._stream.try_next():
                    self.reached[change["documentKey"]["_id"]] = time.monotonic()


class Watched(Background):
    """Asks every 2 ms which of the orders that are waited for have got there."""

    def __init__(self, ask: Callable[[list[str]], list[str]]) -> None:
        super().__init__()
        self.reached: dict[str, float] = {}
        self._ask = ask
        self._waiting: set[str] = set()

    def wait_for(self, order_id: str) -> None:
        """Watch this order too."""
        self._waiting.add(order_id)

    def run(self) -> None:
        """Ask until the end; not while nobody is waited for."""
        while not self.stopped.wait(_PAUSE_SECONDS):
            if waiting := list(self._waiting):
                there = self._ask(waiting)
                now = time.monotonic()
                self.reached |= dict.fromkeys(there, now)
                self._waiting.difference_update(there)


def measure(effort: Effort) -> Iterator[tuple[str, LatencyResult]]:
    """One client alone, then the same client while others keep the system at half of what it can settle."""
    with open_system() as system:
        token, *others = [system.token(user) for user in system.new_customers(51)]
        products = system.new_products(200)
        raw = RawPostgres(system.stack.env["DATABASE_URL"], system.place(token, products[0]))
        saturation = _settled_rate(system, others, products, effort.seconds(5, 1))
        for _ in range(effort.runs):
            yield "one client", _probe(system, token, products, raw, effort)
        for _ in range(effort.runs):
            run = uuid.uuid4().hex[:12]
            seconds = effort.seconds(8, 1.5)
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
            result = _probe(system, token, products, raw, effort)
            system.await_placed(run, len(load.report().answered))
            yield "the same at half of saturation", result


def _settled_rate(system: System, tokens: Sequence[str], products: Sequence[str], seconds: float) -> float:
    """Orders a second from the first POST of 16 clients until the last order is Processing."""
    run = uuid.uuid4().hex[:12]
    report = generate(system.place_plan(tokens, products, items=1, run=run, connections=16, seconds=seconds))
    system.await_placed(run, len(report.answered))
    return len(report.answered) / (time.monotonic() - report.started)


def _probe(
    system: System, token: str, products: Sequence[str], raw: RawPostgres, effort: Effort
) -> LatencyResult:
    raw_rate = raw.rate(1, 0.5)
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(system.stack.urls["sockets"], token))
        stock = stack.enter_context(Told(_ledger(system, stack)))
        processing = stack.enter_context(Watched(_are_processing(system, stack)))
        connection = stack.enter_context(
            closing(HTTPConnection("127.0.0.1", system.stack.settings.ports.web, timeout=30))
        )
        due: dict[str, float] = {}
        answered: list[float] = []
        started = time.monotonic() + 0.1
        for number in range(int(effort.seconds(8, 1.5) * PROBES_A_SECOND)):
            when = started + number / PROBES_A_SECOND
            time.sleep(max(0.0, when - time.monotonic()))
            order = place_on(connection, token, order_body([products[number % len(products)]]))
            answered.append(time.monotonic() - when)
            due[order] = when
            processing.wait_for(order)
        seen = (stock.reached, processing.reached, listener.confirmed)
        wait_until(lambda: all(due.keys() <= each.keys() for each in seen), "every probe is confirmed")
    return _result(answered, 1000 / raw_rate, *[[each[order] - due[order] for order in due] for each in seen])


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


def _ledger(system: System, stack: ExitStack) -> Collection[Document]:
    client = stack.enter_context(MongoClient[Document](system.stack.env["MONGODB_URI"]))
    return client.get_default_database()["stock_ledger"]


def _are_processing(system: System, stack: ExitStack) -> Callable[[list[str]], list[str]]:
    connection = stack.enter_context(psycopg.connect(system.stack.env["DATABASE_URL"], autocommit=True))
    return lambda orders: [order for (order,) in connection.execute(_PROCESSING, [orders]).fetchall()]


ROW = Row("latency", "from the POST to stock, Processing and the socket, open loop", measure)
