"""Why an order was rejected, for the customer: our own sentences, with the names that the order has."""

from collections.abc import Mapping, Sequence

from orders_app.document import CancelCode, CancelReason, OrderDocument
from orders_app.services.stock_answers import StockShortage

MAX_EXPLAINED = 20
UNEXPLAINED = "We could not reserve your order."
SENTENCES: Mapping[str, str] = {
    CancelCode.INSUFFICIENT_STOCK: "{name}: {requested} requested, {available} available",
    CancelCode.PRODUCT_INACTIVE: "{name}: {requested} requested, no longer sold",
    CancelCode.PRODUCT_NOT_FOUND: "{name}: {requested} requested, no longer in the catalogue",
}


def explain_rejection(order: OrderDocument, shortages: Sequence[StockShortage]) -> CancelReason:
    """The code of the first shortage, and a sentence about those of the order's own products."""
    names = {item.product_id: " ".join(item.product_name.split()) for item in order.items}
    known = [shortage for shortage in shortages if shortage.product_id in names]
    reasons = [_explain(names[shortage.product_id], shortage) for shortage in known[:MAX_EXPLAINED]]
    if more := len(known[MAX_EXPLAINED:]):
        reasons.append(f"and {more} more products")
    detail = f"We could not reserve your order: {'; '.join(reasons)}." if reasons else UNEXPLAINED
    return CancelReason(CancelCode(shortages[0].code), detail)


def _explain(name: str, shortage: StockShortage) -> str:
    return SENTENCES[shortage.code].format(
        name=name, requested=shortage.requested, available=shortage.available
    )
