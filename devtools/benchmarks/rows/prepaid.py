"""Orders that are paid in advance: one on an idle system, and many beside the stripe library alone."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from typing import Any

import httpx

from devtools.benchmarks.figures import Options, Row, figure, percentile, require_equal
from devtools.benchmarks.load import generate
from devtools.benchmarks.order_socket import OrderSocket
from devtools.benchmarks.placing import CREDIT_CARD, VISA, order_body, place_on
from devtools.benchmarks.processing_watch import ProcessingWatch
from devtools.benchmarks.raw_stripe import RawStripe
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from devtools.driver.gateway import GatewayBooks
from devtools.driver.inbox import Inbox
from devtools.stack.servers import MAIL

AT_ONCE = 16
"""Clients that place orders, payments that a payment worker makes at once, threads of the stripe library."""
_PRODUCTS, _CUSTOMERS = 200, 50
_SETTLING_SECONDS = 120.0
_MAILS = 2
"""Of an order that is paid at once: placed, and confirmed."""


@dataclass(frozen=True, kw_only=True)
class OneOrderResult:
    """Orders one after another, each from the moment before its POST."""

    answered: float = figure("POST → 201, p50", "ms")
    processing_p50: float = figure("POST → paid and Processing on the socket, p50", "ms")
    processing_most: float = figure("POST → paid and Processing on the socket, slowest", "ms")
    mailed_p50: float = figure("POST → both mails taken, p50", "ms")
    mailed_most: float = figure("POST → both mails taken, slowest", "ms")


@dataclass(frozen=True, kw_only=True)
class PrepaidResult:
    """Many orders, placed as fast as they are answered."""

    processing: float = figure("paid and Processing; raw: payments by the stripe library", "/s", raw="raw")
    drained: float = figure("last one Processing after the last answer", "s")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, Any]]:
    """One order after another, then many at once, beside the stripe library in the same system."""
    with open_system(without=()) as system:
        products = system.new_products(_PRODUCTS)
        tokens = [system.token(user) for user in system.new_customers(_CUSTOMERS)]
        raw = RawStripe(system.stack.env["STRIPE_API_BASE"], system.stack.env["STRIPE_SECRET_KEY"])
        _place_many(system, tokens, products, options.size(200, 20))
        for _ in range(options.runs):
            _await_webhooks(system)
            yield "one order at a time", _one_at_a_time(system, products, options.size(40, 5))
        for _ in range(options.runs):
            raw_rate = raw.rate(AT_ONCE, options.seconds(3, 0.5))
            _await_webhooks(system)
            count = options.size(1_200, 60)
            rate, drained = _place_many(system, tokens, products, count)
            yield f"{count:,} orders", PrepaidResult(processing=rate, drained=drained, raw=raw_rate)
            _await_webhooks(system)


def _place_many(
    system: System, tokens: Sequence[str], products: Sequence[str], count: int
) -> tuple[float, float]:
    """Orders per second until the last is Processing, and how long that is after the last answer."""
    run, since = uuid.uuid4().hex[:12], time.time()
    with ProcessingWatch(system.stack.env["DATABASE_URL"]) as watch:
        plan = system.place_plan(
            tokens, products, items=1, run=run, is_prepaid=True, connections=AT_ONCE, seconds=60, limit=count
        )
        report = generate(plan)
        system.await_placed(run, count, _SETTLING_SECONDS)
        orders = {order for order, _ in report.answered}
        watch.await_orders(orders)
    _require_charged(system, orders, since)
    ended = max(watch.processing_at[order] for order in orders)
    return count / (ended - report.started), ended - report.ended


def _await_webhooks(system: System) -> None:
    """Returns when every webhook was sent: the next measurement is not to pay for them."""
    health = f"{system.stack.env['STRIPE_API_BASE']}/health"
    wait_until(lambda: httpx.get(health).json()["webhooks"] == 0, "no webhook waits", 120, pause=0.2)


def _require_charged(system: System, orders: set[str], since: float) -> None:
    """Each of these orders was charged once. Raises MeasurementFailed."""
    books = GatewayBooks(system.stack.env["STRIPE_API_BASE"], system.stack.env["STRIPE_SECRET_KEY"])
    with closing(books):
        charged = [each.order_id for each in books.payments(since) if each.order_id in orders and each.kept]
    require_equal("charges", sorted(charged), sorted(orders))


def _one_at_a_time(system: System, products: Sequence[str], count: int) -> OneOrderResult:
    _, token = system.register()
    answered, processing, mailed = list[float](), list[float](), list[float]()
    with ExitStack() as stack:
        socket = stack.enter_context(OrderSocket(system.stack.urls["sockets"], token, "order:status_changed"))
        inbox = stack.enter_context(closing(Inbox(system.stack.servers[MAIL].page)))
        connection = stack.enter_context(
            closing(HTTPConnection("127.0.0.1", system.stack.settings.ports.web, timeout=30))
        )
        for number in range(count):
            body = order_body([products[number % len(products)]], CREDIT_CARD, VISA)
            started = time.monotonic()
            order = place_on(connection, token, body)
            answered.append(time.monotonic() - started)
            wait_until(partial(socket.heard.__contains__, order), "the order is Processing")
            processing.append(socket.heard[order] - started)
            mailed.append(_await_mails(inbox, order) - started)
    return OneOrderResult(
        answered=1000 * percentile(answered, 50),
        processing_p50=1000 * percentile(processing, 50),
        processing_most=1000 * max(processing),
        mailed_p50=1000 * percentile(mailed, 50),
        mailed_most=1000 * max(mailed),
    )


def _await_mails(inbox: Inbox, order: str) -> float:
    """When the inbox had both mails about this order, by the monotonic clock."""
    return wait_until(lambda: inbox.count(order) == _MAILS, "both mails about an order")


ROW = Row("prepaid", "orders paid in advance, from the POST until they are Processing and mailed", measure)
