"""`manage.py seed_demo --days` beside the running system: weeks of orders, and everything still agrees."""

from devtools.driver.gateway import GatewayBooks
from devtools.driver.inbox import Inbox
from devtools.driver.shop import Shop, eventually
from devtools.stack.stack import Stack
from tests.running_system import manage

DAYS = 10


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
