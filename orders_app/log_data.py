"""An order as it is shown, and the data of each event of the log.

One set of types for whoever writes the log, folds it, or turns its events into messages. The JSON form is
camelCase, with money as a decimal string and times in RFC 3339 UTC: the form that clients see.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus

# Not blank, and no control characters (PostgreSQL keeps no NUL).
_READABLE = r"^(?=.*\S)[^\x00-\x1f\x7f]*$"
Line = Annotated[str, Meta(max_length=200, pattern=_READABLE)]
ShortLine = Annotated[str, Meta(max_length=100, pattern=_READABLE)]
ZipCode = Annotated[str, Meta(max_length=20, pattern=_READABLE)]
Time = Annotated[datetime, Meta(tz=True)]


class ShippingAddress(Struct, frozen=True, rename="camel"):
    """Where an order goes."""

    street: Line
    city: ShortLine
    state: ShortLine
    zip_code: ZipCode
    country: ShortLine


class CancelCode(StrEnum):
    """Why an order was cancelled, for programs; a rejection has the code of its first shortage."""

    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    STAFF_REQUEST = "STAFF_REQUEST"
    PRODUCT_NOT_FOUND = "PRODUCT_NOT_FOUND"
    PRODUCT_INACTIVE = "PRODUCT_INACTIVE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    STOCK_RELEASED = "STOCK_RELEASED"
    HOLD_EXPIRED = "HOLD_EXPIRED"


class CancelReason(Struct, frozen=True):
    """Why an order was cancelled; `detail` is a sentence for the customer."""

    code: CancelCode
    detail: str


class OrderLine(Struct, frozen=True, rename="camel"):
    """One product of an order; `price` is for one piece, as it was when the order was placed."""

    product_id: str
    product_name: str
    quantity: int
    price: Decimal


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


def apply(changes: OrderChanges, document: OrderDocument, version: int) -> OrderDocument:
    """The document after these changes, at this version."""
    fields = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET}
    return msgspec.structs.replace(document, version=version, **fields)


class EventType(StrEnum):
    """What can happen to an order."""

    CREATED = "order.created"
    UPDATED = "order.updated"
    CONFIRMED = "order.confirmed"
    STATUS_CHANGED = "order.status.changed"
    CANCELLED = "order.cancelled"
    COMPLETED = "order.completed"
    PAYMENT = "order.payment"
    STOCK_RELEASED = "order.stock.released"
    RELEASE_REQUESTED = "order.release.requested"
    RESERVE_REQUESTED = "order.reserve.requested"
    DELETED = "order.deleted"


class Created(Struct, frozen=True, rename="camel"):
    """The order was placed; `changes` is all of it."""

    order_number: str
    changes: OrderDocument


class Changed(Struct, frozen=True, rename="camel"):
    """Fields changed, and no message needs more than that."""

    order_number: str
    changes: OrderChanges


class StatusChanged(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The order went one step; `reason` where it was cancelled."""

    order_number: str
    changes: OrderChanges
    old_status: OrderStatus
    new_status: OrderStatus
    reason: str | UnsetType = UNSET


class Cancelled(Struct, frozen=True, rename="camel"):
    """The order was cancelled; `release_stock` says whether it may hold stock that must go back."""

    order_number: str
    changes: OrderChanges
    total_amount: Decimal
    items: tuple[OrderLine, ...]
    reason: str
    release_stock: bool
    cancelled_at: Time


class Completed(Struct, frozen=True, rename="camel"):
    """The order was delivered."""

    order_number: str
    changes: OrderChanges
    total_amount: Decimal
    items: tuple[OrderLine, ...]
    delivered_at: Time


class ReleaseRequested(Struct, frozen=True, rename="camel"):
    """Stock was reserved for an order that is cancelled already: it must go back."""

    order_number: str
    changes: OrderChanges
    items: tuple[OrderLine, ...]
    reason: str


class ReserveRequested(Struct, frozen=True, rename="camel"):
    """No answer came about the order's stock: it is asked for again."""

    order_number: str
    changes: OrderChanges
    items: tuple[OrderLine, ...]


ChangingData = Changed | StatusChanged | Cancelled | Completed | ReleaseRequested | ReserveRequested
EventData = Created | ChangingData

DATA_TYPES: Mapping[EventType, type[EventData]] = {
    EventType.CREATED: Created,
    EventType.UPDATED: Changed,
    EventType.CONFIRMED: Changed,
    EventType.STATUS_CHANGED: StatusChanged,
    EventType.CANCELLED: Cancelled,
    EventType.COMPLETED: Completed,
    EventType.PAYMENT: Changed,
    EventType.STOCK_RELEASED: Changed,
    EventType.RELEASE_REQUESTED: ReleaseRequested,
    EventType.RESERVE_REQUESTED: ReserveRequested,
    EventType.DELETED: Changed,
}
_DECODERS = {event_type: msgspec.json.Decoder(struct) for event_type, struct in DATA_TYPES.items()}


def decode(event_type: EventType, data: bytes) -> EventData:
    """The data of one event, typed. Raises msgspec.ValidationError where it is not of its type."""
    return _DECODERS[event_type].decode(data)
