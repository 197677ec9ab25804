"""`manage.py seed_demo --days` beside the running system: weeks of orders, and everything still agrees."""

import subprocess
import sys

from devtools.driver.gateway import GatewayBooks
from devtools.driver.inbox import Inbox
from devtools.driver.shop import Shop, eventually
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack

DAYS = 10


def manage(stack: Stack, *arguments: str) -> str:
    """What the command prints; fails where its exit code is not 0."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=stack.env,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_weeks_of_orders_are_written_beside_the_system_which_agrees_with_all_of_them(
    stack: Stack, shop: Shop, inbox: Inbox, books: GatewayBooks
) -> None:
    mails, charges = len(inbox.mails()), len(books.payments())
    placed = int(shop.staff.call("GET", "orders/").json()["count"])
    assert "Orders: " in manage(stack, "seed_demo", "--days", str(DAYS))
    seeded = int(shop.staff.call("GET", "orders/").json()["count"]) - placed
    assert seeded > 200

    def counted() -> bool:
        figures = shop.staff.call("GET", "analytics/summary/").json()
        return bool(figures["orders"] >= seeded)

    eventually(counted, "all orders are in the figures", seconds=60)
    for audit in ("audit_stock", "audit_payments", "replay_orders"):
        manage(stack, audit)
    assert len(inbox.mails()) == mails
    assert len(books.payments()) == charges
    assert "Orders: 0 added." in manage(stack, "seed_demo", "--days", "3")
