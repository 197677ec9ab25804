"""When an order and its ledger entry agree."""

import pytest
from uuid6 import uuid7

from kafka_workers.audit.agreement import Fault, find_fault
from orders_app.services.stock_claims import StockClaim
from orders_app.state_machine import OrderStatus, StockStatus
from products_app.services.stock.audit import HeldStock

LINES = {"lantern": 2, "rope": 1}
HELD = HeldStock("reserved", LINES, {})
LESS = HeldStock("reserved", {"lantern": 2}, {})
EMPTY = HeldStock("released", {}, {})
TOMBSTONE = HeldStock("rejected", {}, {})
APART = HeldStock("open", {}, {"lantern": 2})
UNKNOWN = None
PENDING, PROCESSING, SHIPPED, DELIVERED, CANCELLED = OrderStatus


@pytest.mark.parametrize(
    ("stock_status", "status", "holding", "fault"),
    [
        ("reserved", PENDING, HELD, None),
        ("reserved", DELIVERED, HELD, None),
        ("reserved", PROCESSING, HeldStock("reserved", LINES, {"bell": 1}), None),
        ("reserved", PROCESSING, UNKNOWN, Fault.HOLD_LOST),
        ("reserved", PROCESSING, LESS, Fault.HOLDS_OTHERWISE),
        ("reserved", SHIPPED, EMPTY, Fault.HOLDS_OTHERWISE),
        ("reserved", CANCELLED, HELD, Fault.NOT_RELEASED),
        ("reserved", CANCELLED, EMPTY, Fault.NOT_RELEASED),
        ("pending", PENDING, HELD, Fault.UNANSWERED),
        ("pending", PENDING, UNKNOWN, Fault.UNANSWERED),
        ("pending", CANCELLED, EMPTY, Fault.UNANSWERED),
        ("rejected", CANCELLED, TOMBSTONE, None),
        ("rejected", CANCELLED, UNKNOWN, None),
        ("released", CANCELLED, EMPTY, None),
        ("released", SHIPPED, EMPTY, None),
        ("released", CANCELLED, HELD, Fault.NOT_RELEASED),
        ("released", CANCELLED, APART, Fault.NOT_RELEASED),
        ("released", DELIVERED, HELD, Fault.HOLDS_THOUGH_DONE),
        ("rejected", PENDING, TOMBSTONE, Fault.OPEN_WITHOUT_STOCK),
        ("released", PROCESSING, HELD, Fault.OPEN_WITHOUT_STOCK),
    ],
)
def test_an_order_agrees_with_the_ledger_when_that_holds_what_the_order_counts_on(
    stock_status: str, status: OrderStatus, holding: HeldStock | None, fault: Fault | None
) -> None:
    claim = StockClaim(uuid7(), 3, status, StockStatus(stock_status), LINES)
    assert find_fault(claim, holding) == fault


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("holding", [LESS, EMPTY, UNKNOWN])
def test_every_fault_says_what_order_and_ledger_say(fault: Fault, holding: HeldStock | None) -> None:
    claim = StockClaim(uuid7(), 3, PENDING, StockStatus.RELEASED, LINES)
    sentence = fault.tell(claim, holding)
    assert "claim" not in sentence
    assert "holding" not in sentence
    assert "StockStatus" not in sentence
