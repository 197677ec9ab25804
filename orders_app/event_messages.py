"""The values of the Kafka messages that events cause, each built from an event and its data."""

from collections.abc import Sequence
from typing import cast

from msgspec import UNSET

from orders_app import messages
from orders_app.document import OrderLine
from orders_app.event_data import (
    Announced,
    Cancelled,
    Completed,
    PaymentRequested,
    Placed,
    RefundRequested,
    ReleaseRequested,
    ReserveRequested,
    StatusChanged,
    StockOrMoneyChanged,
)
from orders_app.event_log import LoggedEvent
from orders_app.messages import (
    InventoryRelease,
    InventoryReserve,
    Item,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderStatusChanged,
    OrderUpdated,
    PaymentRefundRequested,
    ReturnedItem,
)
from orders_app.money import to_minor_units


def order_created(order_id: str, event: LoggedEvent, data: Placed) -> OrderCreated:
    """The fact that an order was placed."""
    order = data.changes
    return OrderCreated(
        order_id=order_id,
        user_id=order.user_id,
        order_number=data.order_number,
        total_amount=order.total_amount,
        currency=order.currency,
        items=_items(order.items),
        payment_method=order.payment_method,
        created_at=order.created_at,
    )


def order_status_changed(order_id: str, event: LoggedEvent, data: StatusChanged) -> OrderStatusChanged:
    """The fact that an order has another status."""
    return OrderStatusChanged(
        order_id=order_id,
        user_id=str(event.user_id),
        order_number=data.order_number,
        old_status=data.old_status,
        new_status=data.new_status,
        old_status_label=data.old_status_label,
        new_status_label=data.new_status_label,
        timestamp=event.created_at,
        reason=data.reason,
        tracking_number=data.tracking_number,
        stock_status=data.stock_status,
        payment_status=data.payment_status,
    )


def order_cancelled(order_id: str, event: LoggedEvent, data: Cancelled) -> OrderCancelled:
    """The fact that an order was cancelled."""
    return OrderCancelled(
        order_id=order_id,
        user_id=str(event.user_id),
        order_number=data.order_number,
        total_amount=data.total_amount,
        items=_items(data.items),
        reason=data.reason,
        cancelled_at=data.cancelled_at,
        code=reason.code if (reason := data.changes.cancel_reason) else UNSET,
        rejected_products=data.rejected_products,
    )


def order_completed(order_id: str, event: LoggedEvent, data: Completed) -> OrderCompleted:
    """The fact that an order was delivered."""
    return OrderCompleted(
        order_id=order_id,
        user_id=str(event.user_id),
        order_number=data.order_number,
        total_amount=data.total_amount,
        items=_items(data.items),
        delivered_at=data.delivered_at,
    )


def order_updated(order_id: str, event: LoggedEvent, data: Announced | StockOrMoneyChanged) -> OrderUpdated:
    """The fact that an order's stock or money changed."""
    return OrderUpdated(
        order_id=order_id,
        user_id=str(event.user_id),
        order_number=data.order_number,
        timestamp=event.created_at,
        stock_status=data.changes.stock_status,
        payment_status=data.changes.payment_status,
        refunded_amount=data.changes.refunded_amount,
    )


def order_updated_if_announced(order_id: str, event: LoggedEvent, data: Announced) -> OrderUpdated | None:
    """The same fact, where no change of status tells it."""
    return order_updated(order_id, event, data) if data.is_announced else None


def inventory_reserve(order_id: str, event: LoggedEvent, data: Placed | ReserveRequested) -> InventoryReserve:
    """The command to reserve the order's stock."""
    return InventoryReserve(order_id, data.order_number, _items(data.items), event.created_at)


def inventory_release(
    order_id: str, event: LoggedEvent, data: Cancelled | ReleaseRequested
) -> InventoryRelease:
    """The command to release the order's stock."""
    items = [ReturnedItem(line.product_id, line.product_name, line.quantity) for line in data.items]
    return InventoryRelease(order_id, data.order_number, data.reason, items, event.created_at)


def inventory_release_if_needed(
    order_id: str, event: LoggedEvent, data: Cancelled
) -> InventoryRelease | None:
    """The command to release the stock of a cancelled order that may hold some."""
    return inventory_release(order_id, event, data) if data.release_stock else None


def payment_requested(order_id: str, event: LoggedEvent, data: PaymentRequested) -> messages.PaymentRequested:
    """The command to charge the token of an attempt, or to look a payment up."""
    return messages.PaymentRequested(
        order_id=order_id,
        user_id=str(event.user_id),
        order_number=data.order_number,
        amount=to_minor_units(data.amount, data.currency),
        currency=data.currency,
        attempt=data.attempt,
        timestamp=event.created_at,
        payment_id=data.payment_id,
    )


def payment_refund_requested(
    order_id: str, event: LoggedEvent, data: RefundRequested
) -> PaymentRefundRequested:
    """The command to give back an amount of a payment."""
    return PaymentRefundRequested(
        order_id=order_id,
        user_id=str(event.user_id),
        order_number=data.order_number,
        amount=to_minor_units(data.amount, data.currency),
        currency=data.currency,
        attempt=data.attempt,
        payment_id=data.payment_id,
        refund=event.version,
        reason=data.reason,
        timestamp=event.created_at,
    )


def _items(lines: Sequence[OrderLine]) -> list[Item]:
    """The lines as they are: a line has the fields of an Item, the category apart, and is written like one.

    Copying them would take a tenth of the relay's time for an event.
    """
    return cast("list[Item]", lines)
