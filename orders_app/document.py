"""An order as the API shows it, at one of its versions, and the changes that lead to the next.

The JSON form is camelCase, with money as a decimal string and times in RFC 3339 UTC.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from orders_app.state_machine import UNPAID, OrderStatus, PaymentMethod, PaymentStatus, StockStatus

Time = Annotated[datetime, Meta(tz=True)]
NOTHING = Decimal("0.00")
NUMBER_PREFIX = "SB-"
"""What every order number begins with."""


class ShippingAddress(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an order goes. Not every country has states and zip codes.

    Any text: the rules for a new address are those of the API, and were others when older orders were placed.
    """

    street: str
    city: str
    state: str = ""
    zip_code: str = ""
    country: str


class CancelCode(StrEnum):
    """Why an order was cancelled, for programs; a rejection has the code of its first shortage."""

    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    STAFF_REQUEST = "STAFF_REQUEST"
    PRODUCT_NOT_FOUND = "PRODUCT_NOT_FOUND"
    PRODUCT_INACTIVE = "PRODUCT_INACTIVE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    STOCK_RELEASED = "STOCK_RELEASED"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    PAYMENT_FAILED = "PAYMENT_FAILED"


REJECTIONS = frozenset(
    {CancelCode.PRODUCT_NOT_FOUND, CancelCode.PRODUCT_INACTIVE, CancelCode.INSUFFICIENT_STOCK}
)
"""The order was cancelled because its stock could not be reserved."""


class CancelReason(Struct, frozen=True):
    """Why an order was cancelled; `detail` is a sentence for the customer."""

    code: CancelCode
    detail: str


class PaymentFailure(Struct, frozen=True):
    """Why the last payment of an order failed; `detail` is a sentence for the customer."""

    code: str
    detail: str


class OrderLine(Struct, frozen=True, rename="camel"):
    """One product of an order; `price` is for one piece, as it was when the order was placed."""

    product_id: str
    product_name: str
    quantity: int
    price: Decimal


class CataloguedLine(OrderLine, frozen=True, rename="camel", omit_defaults=True):
    """A line as its order is placed, with the product's category then; empty where it has none.

    The first event of an order has it, for the messages; the order as the API shows it does not.
    """

    category: str = ""


class OrderDocument(Struct, frozen=True, rename="camel"):
    """An order at one of its versions, exactly as the API shows it."""

    id: UUID
    order_number: str
    user_id: str
    items: tuple[OrderLine, ...]
    total_amount: Decimal
    currency: str
    status: OrderStatus
    status_label: str
    stock_status: StockStatus
    payment_status: PaymentStatus
    payment_method: PaymentMethod
    shipping_address: ShippingAddress
    tracking_number: str | None
    cancel_reason: CancelReason | None
    created_at: Time
    updated_at: Time
    shipped_at: Time | None
    delivered_at: Time | None
    cancelled_at: Time | None
    version: int
    # Events from before orders could be paid here lack the fields from here on.
    payment_attempts: int = 0
    payment_reference: str | None = None
    """The gateway's id of the payment that was taken; None also where staff recorded the payment."""
    payment_failure: PaymentFailure | None = None
    paid_at: Time | None = None
    refunded_amount: Decimal = NOTHING
    """What went back of the payment."""
    refund_requested_amount: Decimal = NOTHING
    """What was asked back of the payment: gone back, or under way."""

    @property
    def log_fields(self) -> dict[str, str]:
        """What names the order in a log line."""
        return {"order": str(self.id), "order_number": self.order_number}

    @property
    def is_prepaid(self) -> bool:
        """Whether the order is paid before it is delivered."""
        return self.payment_method != PaymentMethod.CASH_ON_DELIVERY

    @property
    def has_nothing_to_pay(self) -> bool:
        """Whether the order is prepaid and its total 0.00, and does not count as paid yet."""
        return self.is_prepaid and not self.total_amount and self.payment_status in UNPAID

    @property
    def lacks_payment(self) -> bool:
        """Whether the order cannot go on because it is not paid."""
        return self.is_prepaid and self.total_amount > 0 and self.payment_status != PaymentStatus.PAID

    @property
    def is_payment_under_way(self) -> bool:
        """Whether a token waits to be charged, or is being charged, for an order that is not cancelled."""
        is_asked_for = self.payment_attempts > 0 and self.payment_status == PaymentStatus.PENDING
        return is_asked_for and self.lacks_payment and self.status != OrderStatus.CANCELLED

    @property
    def refundable_amount(self) -> Decimal:
        """What can still be asked back of the payment that the gateway took."""
        is_taken = self.payment_reference is not None
        return self.total_amount - self.refund_requested_amount if is_taken else NOTHING

    @property
    def awaits_payment(self) -> bool:
        """Whether a payment is still expected: `models.order.AWAITS_PAYMENT`."""
        is_unpaid_and_pending = self.status == OrderStatus.PENDING and self.payment_status in UNPAID
        return is_unpaid_and_pending and self.lacks_payment


class OrderChanges(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The fields of an `OrderDocument` that one event changed, with their new values."""

    updated_at: Time
    status: OrderStatus | UnsetType = UNSET
    status_label: str | UnsetType = UNSET
    stock_status: StockStatus | UnsetType = UNSET
    payment_status: PaymentStatus | UnsetType = UNSET
    shipping_address: ShippingAddress | UnsetType = UNSET
    tracking_number: str | UnsetType | None = UNSET
    cancel_reason: CancelReason | UnsetType = UNSET
    shipped_at: Time | UnsetType = UNSET
    delivered_at: Time | UnsetType = UNSET
    cancelled_at: Time | UnsetType = UNSET
    payment_attempts: int | UnsetType = UNSET
    payment_reference: str | UnsetType = UNSET
    payment_failure: PaymentFailure | UnsetType | None = UNSET
    paid_at: Time | UnsetType = UNSET
    refunded_amount: Decimal | UnsetType = UNSET
    refund_requested_amount: Decimal | UnsetType = UNSET


def apply_changes(changes: OrderChanges, document: OrderDocument, version: int) -> OrderDocument:
    """The document after these changes, at this version."""
    fields = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET}
    return msgspec.structs.replace(document, version=version, **fields)
