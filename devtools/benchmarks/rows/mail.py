"""Mails about orders: how fast a backlog of events is told, beside smtplib on one connection."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from devtools.benchmarks.figures import Options, Row, figure, require_equal
from devtools.benchmarks.load import generate
from devtools.benchmarks.raw_smtp import seconds_to_send
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from devtools.driver.inbox import Inbox
from devtools.stack.servers import MAIL, PAYMENTS
from kafka_workers.workers import EMAIL

_MAILS = 2
"""Of an order: placed, and confirmed."""
_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class MailResult:
    """One backlog."""

    mails: float = figure("mails; raw: smtplib on one connection", "/s", raw="raw")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, MailResult]]:
    """The email worker is ended while orders are placed, then started."""
    with open_system(without=(PAYMENTS,)) as system, closing(_inbox(system)) as inbox:
        count = options.size(500, 20)
        for _ in range(options.runs):
            yield f"{_MAILS * count:,} mails", _run(system, inbox, count)


def _run(system: System, inbox: Inbox, count: int) -> MailResult:
    system.stack.remove(EMAIL.name)
    address, run = _place(system, count)
    system.await_placed(run, count)
    system.add_worker(EMAIL)
    mails = _MAILS * count
    wait_until(lambda: inbox.count(address) >= mails, f"{mails} mails", _SECONDS, pause=0.1)
    taken = inbox.mails(address)
    require_equal("mails", len(taken), mails)
    # From the first to the last, so that the start of the worker does not count.
    rate = (mails - 1) / (taken[0].received_at - taken[-1].received_at)
    content = inbox.raw(taken[0])
    port, recipient = system.stack.settings.ports.smtp, f"{uuid.uuid4().hex}@example.com"
    return MailResult(mails=rate, raw=mails / seconds_to_send(port, recipient, content, mails))


def _place(system: System, count: int) -> tuple[str, str]:
    """Places orders of a new customer; returns the address and the run."""
    (address, token), run = system.register(), uuid.uuid4().hex[:12]
    products = system.new_products(50)
    plan = system.place_plan(
        [token], products, items=1, run=run, connections=16, seconds=_SECONDS, limit=count
    )
    generate(plan)
    return address, run


def _inbox(system: System) -> Inbox:
    return Inbox(system.stack.servers[MAIL].page)


ROW = Row("mail", "a backlog of events that are told by mail", measure)
