"""Requests that are turned down by a rule, each in turn with the same kind of request that succeeds."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bson import ObjectId

from devtools.benchmarks.figures import Options, Row, require_equal
from devtools.benchmarks.in_turn import (
    ComparedResult,
    Turn,
    compared_with_first,
    measure_in_turn,
    measure_turn,
)
from devtools.benchmarks.load import Request, generate
from devtools.benchmarks.placing import NUMBER, placement
from devtools.benchmarks.rows.orders import CUSTOMERS, PRODUCTS
from devtools.benchmarks.system import System, open_system

CLIENTS = 16
_ROUNDS = 2


@dataclass(frozen=True)
class Kind:
    """One kind of request: the status of its answers, and what makes the requests of a run."""

    name: str
    status: int
    requests: Callable[[str], list[Request]]
    places: bool = False


@dataclass(frozen=True)
class Shop:
    """The data of the requests: `sold_out` have no stock, `unknown` are no products."""

    system: System
    tokens: Sequence[str]
    products: Sequence[str]
    sold_out: Sequence[str]
    unknown: Sequence[str]

    def orders(self) -> Sequence[Kind]:
        """A placed order, then what is not placed (again)."""
        used = self._use_keys()
        other = self.products[1:]
        return (
            Kind("order", 201, lambda run: self._orders(f"{run}-{NUMBER}", self.products), places=True),
            Kind("unknown product", 400, lambda run: self._orders(f"{run}-{NUMBER}", self.unknown)),
            Kind("used key, same body", 201, lambda _: self._repeated(used, self.products)),
            Kind("used key, other body", 422, lambda _: self._repeated(used, other)),
        )

    def reservations(self) -> Sequence[Kind]:
        """A reservation over HTTP, then its refusals."""
        return (
            Kind("reserve", 200, lambda run: self.system.reservations(self.products, run=run)),
            Kind("sold-out product", 409, lambda run: self.system.reservations(self.sold_out, run=run)),
            Kind("unknown product", 404, lambda run: self.system.reservations(self.unknown, run=run)),
        )

    def measure(self, kind: Kind, seconds: float) -> Turn:
        """Sends requests of this kind, closed loop, and waits until the orders among them are settled."""
        run = uuid.uuid4().hex[:12]
        plan = self.system.plan(kind.requests(run), status=kind.status, connections=CLIENTS, seconds=seconds)
        return measure_turn(self.system, plan, run=run, places=kind.places)

    def _use_keys(self) -> Sequence[str]:
        """Places an order of each customer; returns the keys."""
        keys = [f"used-{uuid.uuid4().hex}" for _ in self.tokens]
        for request in self._repeated(keys, self.products):
            generate(self.system.plan([request], status=201, connections=1, seconds=30, limit=1))
        return keys

    def _repeated(self, keys: Sequence[str], products: Sequence[str]) -> list[Request]:
        return [self._order(number, key, products) for number, key in enumerate(keys)]

    def _orders(self, key: str, products: Sequence[str]) -> list[Request]:
        return [self._order(number, key, products) for number in range(PRODUCTS)]

    def _order(self, number: int, key: str, products: Sequence[str]) -> Request:
        product = products[number % len(products)]
        return placement(self.tokens[number % len(self.tokens)], [product], key=key)


def measure(options: Options) -> Iterator[tuple[str, ComparedResult]]:
    """Orders and their refusals, then reservations and theirs."""
    with open_system() as system:
        shop = Shop(
            system,
            [system.token(user) for user in system.new_customers(CUSTOMERS)],
            system.new_products(PRODUCTS),
            system.new_products(PRODUCTS, stock=0),
            [str(ObjectId()) for _ in range(PRODUCTS)],
        )
        families = shop.orders(), shop.reservations()
        for kind in (kind for kinds in families for kind in kinds):
            shop.measure(kind, options.seconds(0.7, 0.2))
        for _ in range(options.runs):
            for kinds in families:
                yield from _run(shop, kinds, options)


def _run(shop: Shop, kinds: Sequence[Kind], options: Options) -> Iterator[tuple[str, ComparedResult]]:
    taken, seconds = shop.system.taken(shop.products), options.seconds(1, 0.2)
    turns = measure_in_turn(kinds, options.size(_ROUNDS, 1), lambda kind: shop.measure(kind, seconds))
    succeeded = sum(len(turn.report.latencies) for turn in turns[kinds[0]])
    # No refusal has taken anything.
    require_equal("pieces taken", shop.system.taken(shop.products) - taken, succeeded)
    for kind, result in compared_with_first(turns):
        yield f"{kinds[0].name}: {kind.name}, {CLIENTS} clients", result


ROW = Row(
    "refusals",
    "requests that a rule turns down, beside those that succeed",
    measure,
    runs=5,
)
