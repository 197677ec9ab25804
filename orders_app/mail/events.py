"""What mails tell of: an event of an order, with the facts that its message has."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from orders_app.document import CancelCode
from orders_app.models import MailKind


class Money(Struct, frozen=True):
    """An amount in its currency."""

    amount: Decimal
    currency: str


class MailLine(Struct, frozen=True):
    """One line of an order; `total` where its currency is known."""

    name: str
    quantity: int
    total: Money | None = None


class Placed(Struct, frozen=True, kw_only=True):
    """The order was placed."""

    lines: tuple[MailLine, ...]
    total: Money
    is_prepaid: bool
    at: datetime


class Confirmed(Struct, frozen=True, kw_only=True):
    """The order is being processed: its stock is there, and its money where it is paid in advance."""

    at: datetime


class PaymentFailed(Struct, frozen=True, kw_only=True):
    """An attempt to pay failed; `detail` is a sentence for the customer.

    After the last one an order that waits for its payment is cancelled.
    """

    amount: Money
    detail: str
    is_last: bool = False
    at: datetime


class CancelCause(StrEnum):
    """Why an order was cancelled, as far as the words of its mail differ."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    UNPAID = "unpaid"
    CUSTOMER = "customer"
    SHOP = "shop"
    OTHER = "other"


_CAUSES = {
    CancelCode.PRODUCT_NOT_FOUND: CancelCause.REJECTED,
    CancelCode.PRODUCT_INACTIVE: CancelCause.REJECTED,
    CancelCode.INSUFFICIENT_STOCK: CancelCause.REJECTED,
    CancelCode.STOCK_RELEASED: CancelCause.REJECTED,
    CancelCode.HOLD_EXPIRED: CancelCause.EXPIRED,
    CancelCode.PAYMENT_FAILED: CancelCause.UNPAID,
    CancelCode.CUSTOMER_REQUEST: CancelCause.CUSTOMER,
    CancelCode.STAFF_REQUEST: CancelCause.SHOP,
}


def cause_of(code: str) -> CancelCause:
    """The cause that a code stands for."""
    return _CAUSES.get(CancelCode(code), CancelCause.OTHER) if code in set(CancelCode) else CancelCause.OTHER


class Cancelled(Struct, frozen=True, kw_only=True):
    """The order was cancelled; `reason` is a sentence for the customer."""

    cause: CancelCause
    reason: str
    lines: tuple[MailLine, ...]
    at: datetime


class Shipped(Struct, frozen=True, kw_only=True):
    """The order is on its way; the tracking number may be empty."""

    tracking_number: str
    at: datetime


class Delivered(Struct, frozen=True, kw_only=True):
    """The order has arrived."""

    lines: tuple[MailLine, ...]
    at: datetime


class Refunded(Struct, frozen=True, kw_only=True):
    """Money went back to the customer."""

    amount: Money
    reason: str
    at: datetime


Facts = Placed | Confirmed | PaymentFailed | Cancelled | Shipped | Delivered | Refunded

KIND_OF: Mapping[type[Facts], MailKind] = {
    Placed: MailKind.PLACED,
    Confirmed: MailKind.CONFIRMED,
    PaymentFailed: MailKind.PAYMENT_FAILED,
    Cancelled: MailKind.CANCELLED,
    Shipped: MailKind.SHIPPED,
    Delivered: MailKind.DELIVERED,
    Refunded: MailKind.REFUNDED,
}
ALWAYS_SENT = frozenset({MailKind.PAYMENT_FAILED, MailKind.REFUNDED})
"""These are about money: a user who has switched mail off gets them all the same."""


class MailEvent(Struct, frozen=True, kw_only=True):
    """An event to tell a customer of; `key` is its message's in the inbox."""

    key: str
    event_id: str
    order_id: str
    order_number: str
    user_id: str
    facts: Facts

    @property
    def kind(self) -> MailKind:
        """The kind of the mail."""
        return KIND_OF[type(self.facts)]
