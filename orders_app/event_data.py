"""The types of events in the order log, and the data that an event of each type carries."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec import UNSET, Struct, UnsetType

from orders_app.document import OrderChanges, OrderDocument, OrderLine, Time
from orders_app.state_machine import OrderStatus


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
