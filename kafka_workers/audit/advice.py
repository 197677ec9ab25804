"""Each difference in words: the fact, and how it is put right."""

from kafka_workers.audit.agreement import Fault
from kafka_workers.audit.orders import FaultyOrder
from kafka_workers.audit.report import Difference
from products_app.services.stock.audit import InvalidLine, ProductBalance

ROW_DIFFERS = (
    "Its row is not what its events tell: `replay_orders` shows it, `--rebuild` mends it. Audit again"
)
FIRST_MEND = "Put right the orders and ledger lines named here that have this product; audit again"
ORDER_ADVICE = {
    Fault.UNANSWERED: (
        "See `dead_letters list --key {id}`; with --repair the stock service is asked once more"
    ),
    Fault.NOT_RELEASED: "See `dead_letters list --key {id}`; with --repair the stock is asked back once more",
    Fault.HOLD_LOST: "With --repair it is reserved again, if the stock suffices; else cancel the order",
    Fault.HOLDS_OTHERWISE: "Somebody changed the ledger or released lines of the order: cancel the order",
    Fault.HOLDS_THOUGH_DONE: "Somebody changed the ledger: give the pieces back by POST products/…/release/",
    Fault.OPEN_WITHOUT_STOCK: "Cancel the order",
}


def order_difference(order: FaultyOrder) -> Difference:
    """An order that disagrees with the ledger."""
    order_id = str(order.claim.order_id)
    advice = ORDER_ADVICE[order.fault].format(id=order_id) if order.follows_log else ROW_DIFFERS
    return Difference("order", order_id, order.fault.tell(order.claim, order.holding), advice)


def product_difference(figure: ProductBalance, *, is_doubtful: bool) -> Difference:
    """A product whose stock is not what follows from the ledger."""
    advice = FIRST_MEND if is_doubtful else _product_advice(figure)
    return Difference("product", figure.product_id, _product_fact(figure), advice)


def _product_fact(figure: ProductBalance) -> str:
    if figure.stock is None:
        return f"orders hold {figure.held} of it, and the catalogue does not have it"
    received = (
        "how many were received is not known" if figure.received is None else f"{figure.received} received"
    )
    return f"stock {figure.stock}, {received}, {figure.held} held ({figure.name})"


def _product_advice(figure: ProductBalance) -> str:
    if figure.stock is None:
        return "Put the product back into the catalogue with its id, or cancel those orders"
    if figure.received is None:
        return f"With --repair {figure.stock + figure.held} count as received"
    wanted = figure.stock - figure.drift
    if wanted >= 0:
        return f"With --repair the stock becomes {wanted}"
    return (
        f"More is held than there is: add at least {-wanted} to its stock or cancel orders that hold it; "
        "then --repair"
    )


def line_difference(line: InvalidLine) -> Difference:
    """A line of the ledger that no request can have made."""
    fact = (
        f"{line.status}, and of product {line.product_id} it reserved {line.quantity} and holds {line.held}"
    )
    advice = f"Somebody wrote it by hand: correct `lines.{line.product_id}.held` in MongoDB; audit again"
    return Difference("ledger", line.order_id, fact, advice)
