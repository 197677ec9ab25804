"""Orders as a public installation takes them: from browsers, with rates on; in turn with the same without."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any

from devtools.benchmarks.figures import Options, Row, require_equal
from devtools.benchmarks.in_turn import (
    ComparedResult,
    Turn,
    compared_with_first,
    measure_in_turn,
    measure_turn,
)
from devtools.benchmarks.load import Plan, request_bytes
from devtools.benchmarks.placing import NUMBER, ORDERS_PATH
from devtools.benchmarks.rows.orders import CUSTOMERS, PRODUCTS
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from devtools.stack.ports import free_ports
from devtools.stack.processes import DEFAULT_COUNTS, web_process

RATED = "web-rated"
OTHER = "web-other"
"""Like the usual ones: what they differ by is the error of the comparison."""
# More than any client sends.
_RATES = {"USER_RATE": "1000000/minute", "ADDRESS_RATE": "1000000/minute"}
_ROUNDS = 2
_PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@dataclass(frozen=True)
class Variant:
    """A way to place orders: with these headers, at these web processes."""

    name: str
    headers: tuple[tuple[str, str], ...]
    web: str
    port: int
    is_preflight: bool = False
    """It asks whether such an order may be placed, and places none."""


@dataclass(frozen=True)
class Placing:
    """The data of all orders."""

    system: System
    tokens: Sequence[str]
    products: Sequence[str]

    def measure(self, variant: Variant, clients: int, seconds: float) -> Turn:
        """Sends requests for `seconds`, closed loop, and waits until all orders are Processing.

        A third as long before that the same is sent unmeasured: a process that was idle while others
        answered is slower at first.
        """
        self._measure(variant, clients, seconds / 3)
        return self._measure(variant, clients, seconds)

    def _measure(self, variant: Variant, clients: int, seconds: float) -> Turn:
        run = uuid.uuid4().hex[:12]
        load = {"port": variant.port, "connections": clients, "seconds": seconds}
        plan = self._preflights(variant, load) if variant.is_preflight else self._orders(variant, run, load)
        return measure_turn(self.system, plan, run=run, places=not variant.is_preflight, web=variant.web)

    def _orders(self, variant: Variant, run: str, load: dict[str, Any]) -> Plan:
        headers = dict(variant.headers)
        return self.system.place_plan(self.tokens, self.products, items=1, run=run, headers=headers, **load)

    def _preflights(self, variant: Variant, load: dict[str, Any]) -> Plan:
        headers = {"X-Number": NUMBER, **_PREFLIGHT, **dict(variant.headers)}
        request = request_bytes("OPTIONS", ORDERS_PATH, headers=headers, body=b"", number_in=NUMBER)
        return self.system.plan([request], status=200, **load)

    def require_cors(self, variant: Variant) -> None:
        """Checks that a browser may read the answer to a request with Origin."""
        headers = {"Authorization": f"Bearer {self.tokens[0]}", "Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", variant.port, timeout=10)) as connection:
            connection.request("POST", ORDERS_PATH, b"{}", {**headers, **dict(variant.headers)})
            allowed = connection.getresponse().getheader("Access-Control-Allow-Origin")
        require_equal("the allowed origin", allowed, dict(variant.headers).get("Origin"))


def measure(options: Options) -> Iterator[tuple[str, ComparedResult]]:
    """64 and 16 clients, at three sets of web processes of one system; one set has the rates."""
    with open_system() as system:
        tokens = [system.token(user) for user in system.new_customers(CUSTOMERS)]
        placing = Placing(system, tokens, system.new_products(PRODUCTS))
        rated, other = (_add_web(system, name, rates) for name, rates in ((RATED, _RATES), (OTHER, {})))
        variants = _variants(system, rated, other)
        for variant in variants:
            placing.require_cors(variant)
            placing.measure(variant, 16, options.seconds(2, 0.3))
        for _ in range(options.runs):
            for clients in (16,) if options.quick else (64, 16):
                yield from _run(placing, variants, clients, options)


def _run(
    placing: Placing, variants: Sequence[Variant], clients: int, options: Options
) -> Iterator[tuple[str, ComparedResult]]:
    seconds = options.seconds(1.2, 0.3)
    turns = measure_in_turn(
        variants, options.size(_ROUNDS, 1), lambda variant: placing.measure(variant, clients, seconds)
    )
    for variant, result in compared_with_first(turns):
        yield f"{clients} clients, {variant.name}", result


def _variants(system: System, rated: int, other: int) -> Sequence[Variant]:
    browser = tuple(_headers_of_browser(system.stack.env["FRONTEND_URL"]).items())
    plain = system.stack.settings.ports.web
    return (
        Variant("without", (), "web", plain),
        Variant("without, by other processes", (), OTHER, other),
        Variant("with Origin", browser, "web", plain),
        Variant("with rates", (), RATED, rated),
        Variant("with Origin and rates", browser, RATED, rated),
        Variant("preflight", browser, "web", plain, is_preflight=True),
    )


def _headers_of_browser(page: str) -> Mapping[str, str]:
    return {
        "Origin": page,
        "Referer": f"{page}/",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "en-GB,en;q=0.5",
        "Sec-Fetch-Dest": "empty",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-site",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    }


def _add_web(system: System, name: str, rates: Mapping[str, str]) -> int:
    """Starts web processes with these rates beside the usual ones; returns their port."""
    [port] = free_ports(1)
    settings = replace(system.stack.settings, ports=replace(system.stack.settings.ports, web=port))
    system.stack.add(web_process(settings, DEFAULT_COUNTS["web"], name), rates)
    wait_until(lambda: _answers(port), f"the processes {name} answer", 60)
    return port


def _answers(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status == 200
        except OSError:
            return False


ROW = Row(
    "orders-public",
    "orders with Origin and with rates on, beside the same without",
    measure,
    runs=5,
)
