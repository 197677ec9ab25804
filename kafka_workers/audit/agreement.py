"""When an order and its entry in the ledger agree, and what is wrong where they do not: one table."""

from enum import Enum

from orders_app.services.stock_claims import StockClaim
from orders_app.state_machine import BEFORE_SHIPMENT, StockStatus
from products_app.services.stock.audit import HeldStock


class Fault(Enum):
    """How an order and its entry disagree once nothing is on its way between them.

    The value is the fact, about `claim` (the order) and `holding` (its entry).
    """

    UNANSWERED = "its stock was asked for and no answer came: {holding}"
    NOT_RELEASED = "it is cancelled and its stock is not given back: {holding}"
    HOLD_LOST = "it counts on {claim.lines} being held for it, and the ledger knows nothing of it"
    HOLDS_OTHERWISE = "it counts on {claim.lines} being held for it: {holding}"
    HOLDS_THOUGH_DONE = "its stock counts as {claim.stock_status.value}: {holding}"
    OPEN_WITHOUT_STOCK = "it is {claim.status.label} though its stock counts as {claim.stock_status.value}"

    def tell(self, claim: StockClaim, holding: HeldStock | None) -> str:
        """The fact as a sentence."""
        return str(self.value).format(claim=claim, holding=_tell(holding))


def find_fault(claim: StockClaim, holding: HeldStock | None) -> Fault | None:
    """How they disagree, if they do; an order in the middle of its way seems to."""
    match claim.stock_status:
        case StockStatus.PENDING:
            return Fault.UNANSWERED
        case StockStatus.RESERVED:
            return Fault.NOT_RELEASED if claim.is_cancelled else _fault_of_reserved(claim, holding)
        case StockStatus.REJECTED | StockStatus.RELEASED:
            return _fault_of_empty(claim, holding)


def _fault_of_reserved(claim: StockClaim, holding: HeldStock | None) -> Fault | None:
    if holding is None:
        return Fault.HOLD_LOST
    agrees = holding.status == "reserved" and holding.by_order == claim.lines
    return None if agrees else Fault.HOLDS_OTHERWISE


def _fault_of_empty(claim: StockClaim, holding: HeldStock | None) -> Fault | None:
    if claim.status in BEFORE_SHIPMENT:
        return Fault.OPEN_WITHOUT_STOCK
    if holding is None or not (holding.by_order or holding.by_line):
        return None
    return Fault.NOT_RELEASED if claim.is_cancelled else Fault.HOLDS_THOUGH_DONE


def _tell(holding: HeldStock | None) -> str:
    if holding is None:
        return "the ledger knows nothing of it"
    return f"the ledger says {holding.status} and holds {holding.by_order | holding.by_line or 'nothing'}"
