"""Repairing the differences that are safe to repair, through the services that requests use too."""

from collections.abc import Callable, Iterable, Mapping

import msgspec
import structlog

from kafka_workers.audit.agreement import Disagreement
from kafka_workers.audit.orders import DisagreeingOrder
from kafka_workers.audit.report import Difference
from orders_app.event_log import Origin
from orders_app.services.stock_claims import StockClaim, request_stock_again
from products_app.services.stock.audit import ProductBalance
from products_app.services.stock.repair import correct_stock, restore_entry

AUDIT = Origin("service:audit")

log = structlog.get_logger(__name__)


class Repair:
    """Repairs after one audit; keeps the inconsistent balances up to date meanwhile."""

    def __init__(self, inconsistent: Iterable[ProductBalance]) -> None:
        self._balances = {balance.product_id: balance for balance in inconsistent}

    @property
    def drift_pieces(self) -> int:
        """By how many pieces stock and ledger still differ, over all products."""
        return sum(balance.pieces_of_drift for balance in self._balances.values())

    def repair_order(self, order: DisagreeingOrder, difference: Difference) -> None:
        """Ask the stock service again, or restore the ledger entry, for an order that follows its log."""
        repair = _REPAIR_OF.get(order.disagreement)
        if repair and order.follows_log:
            _record(difference, repair(self, order.claim))

    def repair_product(self, difference: Difference) -> None:
        """Correct the stock, unless restored entries have repaired it already."""
        balance = self._balances[difference.id]
        if not balance.is_inconsistent:
            _record(difference, "Repaired with its orders")
        elif correct_stock(balance):
            _record(difference, "Repaired: stock and ledger agree")
            del self._balances[difference.id]

    def restore(self, claim: StockClaim) -> str:
        """Reserve the order's lines again, first with pieces whose absence from the stock is unexplained."""
        missing_pieces = {product: self._take(product, quantity) for product, quantity in claim.lines.items()}
        if not restore_entry(order_id=str(claim.order_id), lines=claim.lines, missing_pieces=missing_pieces):
            return ""
        for product_id, pieces in missing_pieces.items():
            if balance := self._balances.get(product_id):
                self._balances[product_id] = msgspec.structs.replace(balance, held=balance.held + pieces)
        return "Repaired: reserved again"

    def _take(self, product_id: str, quantity: int) -> int:
        balance = self._balances.get(product_id)
        return min(quantity, max(0, -balance.drift)) if balance else 0


def _ask_again(_: Repair, claim: StockClaim) -> str:
    asked = request_stock_again(order_id=claim.order_id, version=claim.version, origin=AUDIT)
    return "Asked the stock service again; the answer is on its way" if asked else ""


_REPAIR_OF: Mapping[Disagreement, Callable[[Repair, StockClaim], str]] = {
    Disagreement.UNANSWERED: _ask_again,
    Disagreement.NOT_RELEASED: _ask_again,
    Disagreement.NO_ENTRY: Repair.restore,
}


def _record(difference: Difference, result: str) -> None:
    difference.repaired = result
    if result:
        log.warning(
            "audit repaired a difference",
            kind=difference.kind,
            id=difference.id,
            fact=difference.fact,
            repaired=result,
        )
