"""Each difference as sentences: the fact, and how to repair it."""

from kafka_workers.audit.agreement import Disagreement
from kafka_workers.audit.orders import DisagreeingOrder
from kafka_workers.audit.report import Difference
from products_app.services.stock.audit import InvalidLine, ProductBalance

ROW_DIFFERS = "Its row differs from its events: `replay_orders` shows it, `--rebuild` repairs it. Audit again"
REPAIR_THOSE_FIRST = "First repair the orders and ledger lines named here that have this product; audit again"
ORDER_ADVICE = {
    Disagreement.UNANSWERED: (
        "See `dead_letters list --key {id}`; with --repair the stock service is asked once more"
    ),
    Disagreement.NOT_RELEASED: (
        "See `dead_letters list --key {id}`; with --repair the stock is asked back once more"
    ),
    Disagreement.NO_ENTRY: "With --repair it is reserved again, if the stock suffices; else cancel the order",
    Disagreement.ENTRY_DIFFERS: (
        "The ledger was changed by hand, or lines of the order were released: cancel the order"
    ),
    Disagreement.STILL_HELD: (
        "The ledger was changed by hand: give the pieces back by POST products/…/release/"
    ),
    Disagreement.OPEN_WITHOUT_STOCK: "Cancel the order, or ship it by an override",
}


def order_difference(order: DisagreeingOrder) -> Difference:
    """The difference between an order and its ledger entry."""
    order_id = str(order.claim.order_id)
    advice = ORDER_ADVICE[order.disagreement].format(id=order_id) if order.follows_log else ROW_DIFFERS
    return Difference("order", order_id, order.disagreement.describe(order.claim, order.entry), advice)


def product_difference(balance: ProductBalance, *, is_uncertain: bool) -> Difference:
    """The difference between a product's stock and the ledger; `is_uncertain`: the ledger may be wrong."""
    advice = REPAIR_THOSE_FIRST if is_uncertain else _product_advice(balance)
    return Difference("product", balance.product_id, _product_fact(balance), advice)


def _product_fact(balance: ProductBalance) -> str:
    if balance.fault:
        return f"{balance.fault}, {balance.held} held"
    if balance.stock is None:
        return f"orders hold {balance.held} of it, and the catalogue does not have it"
    received = (
        "how many were received is not known" if balance.received is None else f"{balance.received} received"
    )
    moved = f", {balance.moved} of them by its movements" if balance.unrecorded else ""
    return f"stock {balance.stock}, {received}{moved}, {balance.held} held ({balance.name})"


def _product_advice(balance: ProductBalance) -> str:
    if balance.fault:
        return "`manage.py check_catalogue --repair` mends it; audit again"
    if balance.stock is None:
        return "Put the product back into the catalogue with its id, or cancel those orders"
    if balance.received is None:
        return f"With --repair {balance.stock + balance.held} count as received"
    if balance.lacks_movement_alone:
        return f"With --repair a movement of {balance.unrecorded:+} is recorded"
    wanted = balance.stock - balance.drift
    if wanted >= 0:
        received = f"{balance.moved} count as received and " if balance.unrecorded else ""
        return f"With --repair {received}the stock becomes {wanted}"
    return (
        f"More is held than there is: add at least {-wanted} to its stock or cancel orders that hold it; "
        "then --repair"
    )


def entry_difference(order_id: str) -> Difference:
    """A ledger entry that cannot be read."""
    advice = "It was written by hand: correct it in MongoDB (docs/stock.md shows its form); audit again"
    return Difference("ledger", order_id, "its entry in the ledger cannot be read", advice)


def line_difference(line: InvalidLine) -> Difference:
    """A ledger line that no request can have written."""
    fact = (
        f"{line.status}, and of product {line.product_id} it reserved {line.quantity} and holds {line.held}"
    )
    advice = f"It was written by hand: correct `lines.{line.product_id}.held` in MongoDB; audit again"
    return Difference("ledger", line.order_id, fact, advice)
