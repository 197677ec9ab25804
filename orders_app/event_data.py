"""The types of events in the order log, and the structures of their data.

`event_effects` says which structure an event of each type carries.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from orders_app.document import CataloguedLine, OrderChanges, OrderDocument, OrderLine, Time
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus


class EventType(StrEnum):
    """What can happen to an order."""

    # Found in tables for each event: the hash of enums is not written in C.
    __hash__ = str.__hash__

    CREATED = "order.created"
    UPDATED = "order.updated"
    CONFIRMED = "order.confirmed"
    STATUS_CHANGED = "order.status.changed"
    CANCELLED = "order.cancelled"
    COMPLETED = "order.completed"
    PAYMENT_REQUESTED = "order.payment.requested"
    PAYMENT = "order.payment"
    REFUND_REQUESTED = "order.refund.requested"
    REFUNDED = "order.refunded"
    REFUND_FAILED = "order.refund.failed"
    STOCK_RELEASED = "order.stock.released"
    RELEASE_REQUESTED = "order.release.requested"
    RESERVE_REQUESTED = "order.reserve.requested"
    DELETED = "order.deleted"


class FirstShape(Struct, frozen=True, kw_only=True):
    """Data that has had one shape only; the number of a later shape is refused (`upcasting`)."""

    shape: Literal[1] | UnsetType = UNSET


class Created(FirstShape, frozen=True, rename="camel"):
    """The order was placed; `changes` is the whole order."""

    order_number: str
    changes: OrderDocument


class PlacedOrder(Struct, frozen=True, rename="camel", gc=False):
    """The fields of a placed order that its Kafka messages have."""

    user_id: str
    items: tuple[CataloguedLine, ...]
    total_amount: Decimal
    currency: str
    payment_method: int
    created_at: Time


class Placed(FirstShape, frozen=True, rename="camel", gc=False):
    """The part of `Created` that its Kafka messages need: reading all of it takes four times as long."""

    order_number: str
    changes: PlacedOrder

    @property
    def items(self) -> tuple[CataloguedLine, ...]:
        """The lines of the order."""
        return self.changes.items


class Changed(FirstShape, frozen=True, rename="camel"):
    """Fields of the order changed; no message needs more than that."""

    order_number: str
    changes: OrderChanges


class StockOrMoneyChanged(FirstShape, frozen=True, rename="camel", omit_defaults=True):
    """What an order knows of its stock or money changed.

    `is_announced`: the message `order.updated` tells it, because no change of status in the same transaction
    does.
    """

    order_number: str
    changes: OrderChanges
    is_announced: bool = False


class StockAndMoney(Struct, frozen=True, rename="camel", gc=False):
    """Those of the changes that the message tells."""

    stock_status: StockStatus | UnsetType = UNSET
    payment_status: PaymentStatus | UnsetType = UNSET
    refunded_amount: Decimal | UnsetType = UNSET


class Announced(FirstShape, frozen=True, rename="camel", gc=False):
    """The part of `StockOrMoneyChanged` that its Kafka message needs."""

    order_number: str
    changes: StockAndMoney
    is_announced: bool = False


class Updated(Struct, frozen=True, rename="camel"):
    """Fields of the order changed, and its status did not."""

    shape: Literal[2]
    order_number: str
    changes: OrderChanges


class Override(Struct, frozen=True):
    """Staff let the order go on `without` its "stock", its "payment" or both, for this reason."""

    reason: str
    without: tuple[str, ...]


class StatusChanged(FirstShape, frozen=True, rename="camel", omit_defaults=True):
    """The order went from one status to another; `reason` where it was cancelled.

    `tracking_number` where it was shipped with one; `stock_status` and `payment_status` are those of the
    order after it, which older events lack.
    """

    order_number: str
    changes: OrderChanges
    old_status: OrderStatus
    new_status: OrderStatus
    reason: str | UnsetType = UNSET
    override: Override | UnsetType = UNSET
    tracking_number: str | UnsetType = UNSET
    stock_status: StockStatus | UnsetType = UNSET
    payment_status: PaymentStatus | UnsetType = UNSET

    @property
    def old_status_label(self) -> str:
        """The old status for people."""
        return str(self.old_status.label)

    @property
    def new_status_label(self) -> str:
        """The new status for people."""
        return str(self.new_status.label)


class Cancelled(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The order was cancelled; `release_stock` says whether it may hold stock that must go back.

    `rejected_products` are those that could not be reserved, where that is the reason.
    """

    shape: Literal[2]
    order_number: str
    changes: OrderChanges
    total_amount: Decimal
    items: tuple[OrderLine, ...]
    reason: str
    release_stock: bool
    cancelled_at: Time
    rejected_products: tuple[str, ...] = ()


class Completed(FirstShape, frozen=True, rename="camel"):
    """The order was delivered."""

    order_number: str
    changes: OrderChanges
    total_amount: Decimal
    items: tuple[OrderLine, ...]
    delivered_at: Time


class ReleaseRequested(FirstShape, frozen=True, rename="camel"):
    """Stock was reserved for an order that is cancelled already: it must be released."""

    order_number: str
    changes: OrderChanges
    items: tuple[OrderLine, ...]
    reason: str


class ReserveRequested(FirstShape, frozen=True, rename="camel"):
    """No answer about the order's stock arrived, or answers contradict: it is requested again."""

    order_number: str
    changes: OrderChanges
    items: tuple[OrderLine, ...]


class PaymentRequested(FirstShape, frozen=True, rename="camel", omit_defaults=True):
    """The gateway is to take this amount by the token of this attempt.

    With `payment_id` the gateway has told something about this payment: it is to be looked up.
    """

    order_number: str
    changes: OrderChanges
    attempt: int
    amount: Decimal
    currency: str
    payment_id: str | UnsetType = UNSET


class RefundRequested(FirstShape, frozen=True, rename="camel"):
    """The gateway is to give back this amount of this payment; the event's version identifies the refund."""

    order_number: str
    changes: OrderChanges
    attempt: int
    payment_id: str
    amount: Decimal
    currency: str
    reason: str


ChangingData = (
    Changed
    | StockOrMoneyChanged
    | Updated
    | StatusChanged
    | Cancelled
    | Completed
    | ReleaseRequested
    | ReserveRequested
    | PaymentRequested
    | RefundRequested
)
EventData = Created | ChangingData
