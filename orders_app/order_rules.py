"""Which changes an order allows as it is. Services obey these rules; pages say beforehand what they forbid.

Each `require_…` raises the refusal that the service would raise.
"""

from orders_app.document import OrderDocument
from orders_app.exceptions import (
    ChecksPending,
    OrderNotPayable,
    PaymentPending,
    StockPending,
    TransitionNotAllowed,
)
from orders_app.state_machine import (
    NEEDS_STOCK_AND_PAYMENT,
    OrderStatus,
    PaymentStatus,
    StockStatus,
    is_allowed,
)


def require_transition(order: OrderDocument, status: OrderStatus) -> None:
    """Raises TransitionNotAllowed where the order cannot come to this status from its own."""
    if not is_allowed(order.status, status):
        raise TransitionNotAllowed(order.status, status)


def require_stock_and_payment(order: OrderDocument, status: OrderStatus) -> None:
    """Raises StockPending or PaymentPending where the order would come to this status without it."""
    for refusal in missing_for(order, status).values():
        raise refusal(status)


def require_payable(order: OrderDocument) -> None:
    """Raises OrderNotPayable where no payment can be taken or recorded any more."""
    if order.status == OrderStatus.CANCELLED:
        raise OrderNotPayable("it is cancelled")
    if order.payment_status == PaymentStatus.REFUNDED:
        raise OrderNotPayable("the money was given back")


def missing_for(order: OrderDocument, status: OrderStatus) -> dict[str, type[ChecksPending]]:
    """What the order would lack in this status, `stock` or `payment`, and the refusal for it."""
    return _missing(order) if status in NEEDS_STOCK_AND_PAYMENT else {}


def is_ready(order: OrderDocument) -> bool:
    """Whether the order has its stock, and its payment where it is paid in advance."""
    return not _missing(order)


def _missing(order: OrderDocument) -> dict[str, type[ChecksPending]]:
    missing: dict[str, type[ChecksPending]] = {}
    if order.stock_status != StockStatus.RESERVED:
        missing["stock"] = StockPending
    if order.lacks_payment:
        missing["payment"] = PaymentPending
    return missing
