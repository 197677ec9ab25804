"""The statuses of an order and the transitions between them.

A new order status needs a change here, a migration, and words for people (docs/new-status.md): everything
else reads these tables.
"""

from collections.abc import Mapping

from django.db.models import IntegerChoices, TextChoices


class OrderStatus(IntegerChoices):
    """How far an order is."""

    PENDING = 1, "Pending"
    PROCESSING = 2, "Processing"
    SHIPPED = 3, "Shipped"
    DELIVERED = 4, "Delivered"
    CANCELLED = 5, "Cancelled"


class StockStatus(TextChoices):
    """The last answer of the stock service about an order."""

    PENDING = "pending", "Pending"
    RESERVED = "reserved", "Reserved"
    REJECTED = "rejected", "Rejected"
    RELEASED = "released", "Released"


class PaymentStatus(IntegerChoices):
    """Whether the order is paid."""

    PENDING = 1, "Pending"
    PAID = 2, "Paid"
    FAILED = 3, "Failed"
    REFUNDED = 4, "Refunded"


class PaymentMethod(IntegerChoices):
    """How the customer pays."""

    CREDIT_CARD = 1, "Credit card"
    DEBIT_CARD = 2, "Debit card"
    UPI = 3, "UPI"
    NET_BANKING = 4, "Net banking"
    WALLET = 5, "Wallet"
    CASH_ON_DELIVERY = 6, "Cash on delivery"
    STRIPE = 7, "Stripe"


UNPAID = (PaymentStatus.PENDING, PaymentStatus.FAILED)
"""The order is not paid, and a payment may still arrive."""
MAX_DECLINES = 3
DECLINES_FOR_GOOD = frozenset({"fraudulent", "stolen_card", "lost_card", "pickup_card"})

TRANSITIONS: Mapping[OrderStatus, tuple[OrderStatus, ...]] = {
    OrderStatus.PENDING: (OrderStatus.PROCESSING, OrderStatus.CANCELLED),
    OrderStatus.PROCESSING: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED, OrderStatus.CANCELLED),
    OrderStatus.DELIVERED: (),
    OrderStatus.CANCELLED: (),
}
FINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)
"""Nothing may follow."""


def _all_before(status: OrderStatus) -> frozenset[OrderStatus]:
    """The statuses from which an order may still come to this one."""
    found = {status}
    while more := {earlier for earlier in OrderStatus if found & {*TRANSITIONS[earlier]}} - found:
        found |= more
    return frozenset(found - {status})


BEFORE_SHIPMENT = _all_before(OrderStatus.SHIPPED)
"""The order has not been shipped, and may yet be."""

NEEDS_STOCK_AND_PAYMENT = BEFORE_SHIPMENT - {OrderStatus.PENDING} | {OrderStatus.SHIPPED}
"""An order comes to these statuses only with its stock and payment. Delivery records what has happened."""


def is_allowed(current: OrderStatus, wanted: OrderStatus) -> bool:
    """Whether the transition from `current` to `wanted` exists."""
    return wanted in TRANSITIONS[current]


def is_last_decline(code: str, attempt: int) -> bool:
    """Whether no other attempt follows a decline with this code: an order that waits is cancelled then."""
    return code in DECLINES_FOR_GOOD or attempt >= MAX_DECLINES
