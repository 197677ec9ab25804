"""Events as the orders' services write them, for orders that need not exist."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from uuid6 import uuid7

from orders_app import event_log
from orders_app.document import OrderChanges, OrderDocument, OrderLine, ShippingAddress
from orders_app.event_data import (
    Cancelled,
    Changed,
    Completed,
    Created,
    EventData,
    EventType,
    PaymentRequested,
    RefundRequested,
    ReleaseRequested,
    ReserveRequested,
    StatusChanged,
)
from orders_app.event_log import LoggedEvent, NewEvent
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
PRODUCT = "64b7f0c2a1d3e4f5a6b7c8d9"
NUMBER = "SB-0000-0001"
LINES = (OrderLine(PRODUCT, "Lantern", 2, Decimal("10.50")),)
CHANGES = OrderChanges(updated_at=NOW)


def document(order_id: UUID, lines: Sequence[OrderLine] = LINES) -> OrderDocument:
    return OrderDocument(
        id=order_id,
        order_number=NUMBER,
        user_id="7",
        items=tuple(lines),
        total_amount=Decimal("21.00"),
        currency="USD",
        status=OrderStatus.PENDING,
        status_label="Pending",
        stock_status=StockStatus.PENDING,
        payment_status=PaymentStatus.PENDING,
        payment_method=PaymentMethod.CASH_ON_DELIVERY,
        shipping_address=ShippingAddress(
            street="1 Bridge St", city="Stockbridge", state="MA", zip_code="01262", country="US"
        ),
        tracking_number=None,
        cancel_reason=None,
        created_at=NOW,
        updated_at=NOW,
        shipped_at=None,
        delivered_at=None,
        cancelled_at=None,
        version=1,
    )


def new_order_id() -> UUID:
    return UUID(str(uuid7()))


def created(order_id: UUID, lines: Sequence[OrderLine] = LINES) -> NewEvent:
    return new_event(order_id, 1, EventType.CREATED, Created(NUMBER, document(order_id, lines)))


def changed(order_id: UUID, version: int) -> NewEvent:
    data = StatusChanged(NUMBER, CHANGES, OrderStatus.PENDING, OrderStatus.PROCESSING)
    return new_event(order_id, version, EventType.STATUS_CHANGED, data)


def cancelled(order_id: UUID, version: int, *, release_stock: bool = True) -> NewEvent:
    data = Cancelled(2, NUMBER, CHANGES, Decimal("21.00"), LINES, "changed my mind", release_stock, NOW)
    return new_event(order_id, version, EventType.CANCELLED, data)


def completed(order_id: UUID, version: int) -> NewEvent:
    data = Completed(NUMBER, CHANGES, Decimal("21.00"), LINES, NOW)
    return new_event(order_id, version, EventType.COMPLETED, data)


def release_requested(order_id: UUID, version: int) -> NewEvent:
    data = ReleaseRequested(NUMBER, CHANGES, LINES, "cancelled meanwhile")
    return new_event(order_id, version, EventType.RELEASE_REQUESTED, data)


def reserve_requested(order_id: UUID, version: int) -> NewEvent:
    data = ReserveRequested(NUMBER, CHANGES, LINES)
    return new_event(order_id, version, EventType.RESERVE_REQUESTED, data)


def payment_requested(order_id: UUID, version: int) -> NewEvent:
    data = PaymentRequested(NUMBER, CHANGES, 1, Decimal("21.00"), "USD")
    return new_event(order_id, version, EventType.PAYMENT_REQUESTED, data)


def refund_requested(order_id: UUID, version: int) -> NewEvent:
    data = RefundRequested(NUMBER, CHANGES, 1, "pi_1", Decimal("5.50"), "USD", "broken")
    return new_event(order_id, version, EventType.REFUND_REQUESTED, data)


def plainly_changed(order_id: UUID, version: int, event_type: EventType) -> NewEvent:
    return new_event(order_id, version, event_type, Changed(NUMBER, CHANGES))


def new_event(order_id: UUID, version: int, event_type: EventType, data: EventData) -> NewEvent:
    return NewEvent(order_id, version, event_type, 7, data, "customer:7", TRACE, NOW)


def as_logged(event: NewEvent) -> LoggedEvent:
    """The event as a reader of the log gets it."""
    fields = {**msgspec.structs.asdict(event), "data": msgspec.json.encode(event.data)}
    return LoggedEvent(tx=1, id=event.version, **fields)


def append(*events: NewEvent) -> None:
    event_log.append(events)
