"""When an order and its ledger entry agree, and how they can disagree: one table."""

from enum import Enum

from orders_app.services.stock_claims import StockClaim
from orders_app.state_machine import BEFORE_SHIPMENT, StockStatus
from products_app.services.stock.audit import HeldStock


class Disagreement(Enum):
    """How an order and its ledger entry disagree, once no message between them is in flight.

    The value is a sentence about `claim` (what the order says) and `entry` (what the ledger says).
    """

    UNANSWERED = "its stock was asked for and no answer came: {entry}"
    NOT_RELEASED = "it is cancelled and its stock is not given back: {entry}"
    NO_ENTRY = "it counts on {claim.lines} being held for it, and the ledger knows nothing of it"
    ENTRY_DIFFERS = "it counts on {claim.lines} being held for it: {entry}"
    STILL_HELD = "its stock counts as {claim.stock_status.value}: {entry}"
    OPEN_WITHOUT_STOCK = "it is {claim.status.label} though its stock counts as {claim.stock_status.value}"

    def describe(self, claim: StockClaim, entry: HeldStock | None) -> str:
        """The sentence for this order and entry."""
        return str(self.value).format(claim=claim, entry=_describe(entry))


def went_without_stock(claim: StockClaim) -> bool:
    """Whether the order was shipped or delivered and its stock counts as rejected or released."""
    is_without = claim.stock_status in {StockStatus.REJECTED, StockStatus.RELEASED}
    return is_without and not claim.is_cancelled and claim.status not in BEFORE_SHIPMENT


def find_disagreement(claim: StockClaim, entry: HeldStock | None) -> Disagreement | None:
    """How they disagree, or None; an order with messages in flight may seem to disagree."""
    match claim.stock_status:
        case StockStatus.PENDING:
            return Disagreement.UNANSWERED
        case StockStatus.RESERVED:
            return Disagreement.NOT_RELEASED if claim.is_cancelled else _check_reserved(claim, entry)
        case StockStatus.REJECTED | StockStatus.RELEASED:
            return _check_without_stock(claim, entry)


def _check_reserved(claim: StockClaim, entry: HeldStock | None) -> Disagreement | None:
    if entry is None:
        return Disagreement.NO_ENTRY
    agrees = entry.status == "reserved" and entry.by_order == claim.lines
    return None if agrees else Disagreement.ENTRY_DIFFERS


def _check_without_stock(claim: StockClaim, entry: HeldStock | None) -> Disagreement | None:
    if claim.status in BEFORE_SHIPMENT:
        return Disagreement.OPEN_WITHOUT_STOCK
    if entry is None or not (entry.by_order or entry.by_line):
        return None
    return Disagreement.NOT_RELEASED if claim.is_cancelled else Disagreement.STILL_HELD


def _describe(entry: HeldStock | None) -> str:
    if entry is None:
        return "the ledger knows nothing of it"
    return f"the ledger says {entry.status} and holds {entry.by_order | entry.by_line or 'nothing'}"
