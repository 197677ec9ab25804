"""Putting right what can be put right without a doubt, by the roads on which the shop itself works."""

from collections.abc import Callable, Iterable, Mapping

import msgspec
import structlog

from kafka_workers.audit.agreement import Fault
from kafka_workers.audit.orders import FaultyOrder
from kafka_workers.audit.report import Difference
from orders_app.event_log import Origin
from orders_app.services.stock_claims import StockClaim, request_stock_again
from products_app.services.stock.audit import ProductBalance, correct_stock, restore_entry

AUDIT = Origin("service:audit")

log = structlog.get_logger(__name__)


class Repair:
    """One repair, after one audit; keeps the wrong figures up to date while it mends."""

    def __init__(self, wrong: Iterable[ProductBalance]) -> None:
        self._figures = {figure.product_id: figure for figure in wrong}

    @property
    def drift_pieces(self) -> int:
        """What stock and ledger still differ by, over all products."""
        return sum(abs(figure.drift) for figure in self._figures.values())

    def mend_order(self, order: FaultyOrder, difference: Difference) -> None:
        """Ask the stock service again, or enter the order in the ledger again."""
        mend = _ORDER_MENDS.get(order.fault)
        if mend and order.follows_log:
            _note(difference, mend(self, order.claim))

    def mend_product(self, difference: Difference) -> None:
        """Correct the stock, unless restored holds have explained it all."""
        figure = self._figures[difference.id]
        if not figure.is_inconsistent:
            _note(difference, "Mended with its orders")
        elif correct_stock(figure):
            _note(difference, "Mended: stock and ledger agree")
            del self._figures[difference.id]

    def restore(self, claim: StockClaim) -> str:
        """Reserve the order's lines again, with the pieces that are off the shelf for no known reason."""
        missing_pieces = {product: self._take(product, quantity) for product, quantity in claim.lines.items()}
        if not restore_entry(order_id=str(claim.order_id), lines=claim.lines, missing_pieces=missing_pieces):
            return ""
        for product_id, pieces in missing_pieces.items():
            if figure := self._figures.get(product_id):
                self._figures[product_id] = msgspec.structs.replace(figure, held=figure.held + pieces)
        return "Mended: reserved again"

    def _take(self, product_id: str, quantity: int) -> int:
        figure = self._figures.get(product_id)
        return min(quantity, max(0, -figure.drift)) if figure else 0


def _ask_again(_: Repair, claim: StockClaim) -> str:
    asked = request_stock_again(order_id=claim.order_id, version=claim.version, origin=AUDIT)
    return "Asked the stock service again; the answer is on its way" if asked else ""


_ORDER_MENDS: Mapping[Fault, Callable[[Repair, StockClaim], str]] = {
    Fault.UNANSWERED: _ask_again,
    Fault.NOT_RELEASED: _ask_again,
    Fault.HOLD_LOST: Repair.restore,
}


def _note(difference: Difference, mended: str) -> None:
    difference.mended = mended
    if mended:
        log.warning(
            "audit mended a difference",
            kind=difference.kind,
            id=difference.id,
            fact=difference.fact,
            mended=mended,
        )
