"""Each query of the dashboards, asked of a real Prometheus that scrapes the running system."""

import math
import subprocess
import urllib.request
from pathlib import Path

import pytest

from devtools.dashboards.description import RATE, Query
from devtools.dashboards.files import DASHBOARDS
from devtools.driver.inbox import Inbox
from devtools.driver.shop import CREDIT_CARD, PAID, PROCESSING, REFUNDED, Shop
from devtools.monitoring.configuration import Trial
from devtools.monitoring.watching import Monitoring
from devtools.stack.stack import Stack
from tests.observability.conftest import StartMonitoring

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(300)]

QUERIES = [
    (f"{dashboard.name}: {panel.title}", query)
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for query in panel.queries
]
OVER = "2m"
"""Stands for the time that Grafana would choose; longer than the test."""


def metrics_url(stack: Stack) -> str:
    return f"{stack.urls['web']}/metrics"


def walk_through_the_shop(shop: Shop, inbox: Inbox) -> None:
    """What customers do: orders that are paid, refused and cancelled, with a socket open and mails sent."""
    product, scarce, alice = shop.new_product(stock=50), shop.new_product(stock=1), shop.new_customer()
    with alice.listening() as socket:
        paid = alice.place((product, 1), payment_method=CREDIT_CARD, payment_token="pm_card_visa")
        refused = alice.place((scarce, 2))
        delivered = alice.place((product, 2))
        socket.wait_for("order:cancelled", refused["id"])
        socket.wait_for("order:status_changed", delivered["id"])
    alice.wait_for_payment_status(paid["id"], PAID)
    alice.wait_for_status(paid["id"], PROCESSING)
    alice.call("PATCH", f"orders/{paid['id']}/cancel/")
    alice.wait_for_payment_status(paid["id"], REFUNDED)
    inbox.wait_for(delivered["id"], count=2)


def faults(monitoring: Monitoring) -> list[str]:
    """What is empty or wrong, a line for each query."""
    return [line for name, query in QUERIES if (line := fault(monitoring, name, query))]


def fault(monitoring: Monitoring, name: str, query: Query) -> str:
    try:
        found = monitoring.query(query.expression.replace(RATE, OVER))
    except OSError as error:
        return f"{name}: {query.expression} is refused: {error}"
    values = [sample.value for sample in found if not math.isnan(sample.value)]
    if not values:
        return f"{name}: {query.expression} gives nothing"
    if any(math.isinf(each) or each < 0 for each in values):
        return f"{name}: {query.expression} gives {values}"
    return ""


def test_no_panel_is_empty_or_wrong_after_some_orders(
    stack: Stack, shop: Shop, inbox: Inbox, start_monitoring: StartMonitoring
) -> None:
    monitoring = start_monitoring(Trial(targets={"web": [stack.urls["web"].removeprefix("http://")]}))
    monitoring.wait_for_scrape()
    walk_through_the_shop(shop, inbox)
    monitoring.wait_until(lambda: not faults(monitoring), lambda: "\n".join(faults(monitoring)), seconds=60)


def test_promtool_finds_nothing_against_the_metrics(stack: Stack, promtool: Path) -> None:
    with urllib.request.urlopen(metrics_url(stack), timeout=10) as answer:
        shown = answer.read()
    done = subprocess.run(
        [promtool, "check", "metrics"], input=shown, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
