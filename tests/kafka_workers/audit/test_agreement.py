"""The conditions under which an order and its ledger entry agree."""

import pytest
from uuid6 import uuid7

from kafka_workers.audit.agreement import Disagreement, find_disagreement
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
    ("stock_status", "status", "entry", "disagreement"),
    [
        ("reserved", PENDING, HELD, None),
        ("reserved", DELIVERED, HELD, None),
        ("reserved", PROCESSING, HeldStock("reserved", LINES, {"bell": 1}), None),
        ("reserved", PROCESSING, UNKNOWN, Disagreement.NO_ENTRY),
        ("reserved", PROCESSING, LESS, Disagreement.ENTRY_DIFFERS),
        ("reserved", SHIPPED, EMPTY, Disagreement.ENTRY_DIFFERS),
        ("reserved", CANCELLED, HELD, Disagreement.NOT_RELEASED),
        ("reserved", CANCELLED, EMPTY, Disagreement.NOT_RELEASED),
        ("pending", PENDING, HELD, Disagreement.UNANSWERED),
        ("pending", PENDING, UNKNOWN, Disagreement.UNANSWERED),
        ("pending", CANCELLED, EMPTY, Disagreement.UNANSWERED),
        ("rejected", CANCELLED, TOMBSTONE, None),
        ("rejected", CANCELLED, UNKNOWN, None),
        ("released", CANCELLED, EMPTY, None),
        ("released", SHIPPED, EMPTY, None),
        ("released", CANCELLED, HELD, Disagreement.NOT_RELEASED),
        ("released", CANCELLED, APART, Disagreement.NOT_RELEASED),
        ("released", DELIVERED, HELD, Disagreement.STILL_HELD),
        ("rejected", PENDING, TOMBSTONE, Disagreement.OPEN_WITHOUT_STOCK),
        ("released", PROCESSING, HELD, Disagreement.OPEN_WITHOUT_STOCK),
    ],
)
def test_an_order_agrees_with_a_ledger_that_holds_what_the_order_needs(
    stock_status: str, status: OrderStatus, entry: HeldStock | None, disagreement: Disagreement | None
) -> None:
    claim = StockClaim(uuid7(), 3, status, StockStatus(stock_status), LINES)
    assert find_disagreement(claim, entry) == disagreement


@pytest.mark.parametrize("disagreement", Disagreement)
@pytest.mark.parametrize("entry", [LESS, EMPTY, UNKNOWN])
def test_every_disagreement_shows_order_and_ledger(
    disagreement: Disagreement, entry: HeldStock | None
) -> None:
    claim = StockClaim(uuid7(), 3, PENDING, StockStatus.RELEASED, LINES)
    sentence = disagreement.describe(claim, entry)
    assert "claim" not in sentence
    assert "entry" not in sentence
    assert "StockStatus" not in sentence
