"""Which messages each event of the orders' log causes: one table, every event type in it."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from kafka_workers.contract.topics import ORDERS, TOPIC_OF
from kafka_workers.runtime.messages.message import Outgoing, cloud_event
from orders_app import event_data
from orders_app.document import OrderLine
from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent
from orders_app.messages import (
    InventoryRelease,
    InventoryReserve,
    Item,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderStatusChanged,
    ReturnedItem,
)

_encode = msgspec.json.Encoder().encode


class UnroutableEvent(Exception):
    """An event that gives no messages because its data is not that of its type."""

    def __init__(self, event: LoggedEvent, reason: str) -> None:
        super().__init__(f"event {event.order_id}:{event.version} ({event.type}): {reason}")
        self.event = event
        self.reason = reason


def messages_of(event: LoggedEvent) -> list[Outgoing]:
    """The messages that an event causes, in the order in which they are to be sent; may be none.

    The same event always gives the same messages, ids included. Raises UnroutableEvent.
    """
    try:
        route = ROUTES[event.type]
        values = route(event, event_data.decode(event.type, event.data)) if route else ()
    except msgspec.ValidationError as error:
        raise UnroutableEvent(event, str(error)) from error
    order_id = str(event.order_id)
    return [_message(event, order_id, value) for value in values]


def _message(event: LoggedEvent, order_id: str, value: Struct) -> Outgoing:
    topic = TOPIC_OF[type(value)]
    return cloud_event(
        topic.name,
        order_id,
        _encode(value),
        id=f"{order_id}:{event.version}:{topic.name}",
        source=ORDERS,
        time=event.created_at,
        subject=order_id,
        data_schema=topic.schema,
        sequence=event.version if topic.name.startswith("order.") else None,
        trace_parent=event.trace_parent,
    )


def _created(event: LoggedEvent, data: event_data.Created) -> tuple[Struct, ...]:
    order, order_id, items = data.changes, str(event.order_id), _items(data.changes.items)
    created = OrderCreated(
        order_id=order_id,
        user_id=order.user_id,
        order_number=order.order_number,
        total_amount=order.total_amount,
        currency=order.currency,
        items=items,
        payment_method=order.payment_method,
        created_at=order.created_at,
    )
    return created, InventoryReserve(order_id, order.order_number, items, event.created_at)


def _status_changed(event: LoggedEvent, data: event_data.StatusChanged) -> tuple[Struct, ...]:
    changed = OrderStatusChanged(
        order_id=str(event.order_id),
        user_id=str(event.user_id),
        order_number=data.order_number,
        old_status=data.old_status,
        new_status=data.new_status,
        old_status_label=str(data.old_status.label),
        new_status_label=str(data.new_status.label),
        timestamp=event.created_at,
        reason=data.reason,
    )
    return (changed,)


def _cancelled(event: LoggedEvent, data: event_data.Cancelled) -> tuple[Struct, ...]:
    cancelled = OrderCancelled(
        order_id=str(event.order_id),
        user_id=str(event.user_id),
        order_number=data.order_number,
        total_amount=data.total_amount,
        items=_items(data.items),
        reason=data.reason,
        cancelled_at=data.cancelled_at,
    )
    return (cancelled, _release(event, data)) if data.release_stock else (cancelled,)


def _completed(event: LoggedEvent, data: event_data.Completed) -> tuple[Struct, ...]:
    completed = OrderCompleted(
        order_id=str(event.order_id),
        user_id=str(event.user_id),
        order_number=data.order_number,
        total_amount=data.total_amount,
        items=_items(data.items),
        delivered_at=data.delivered_at,
    )
    return (completed,)


def _release_requested(event: LoggedEvent, data: event_data.ReleaseRequested) -> tuple[Struct, ...]:
    return (_release(event, data),)


def _reserve_requested(event: LoggedEvent, data: event_data.ReserveRequested) -> tuple[Struct, ...]:
    order_id = str(event.order_id)
    return (InventoryReserve(order_id, data.order_number, _items(data.items), event.created_at),)


def _release(
    event: LoggedEvent, data: event_data.Cancelled | event_data.ReleaseRequested
) -> InventoryRelease:
    items = [ReturnedItem(line.product_id, line.product_name, line.quantity) for line in data.items]
    return InventoryRelease(str(event.order_id), data.order_number, data.reason, items, event.created_at)


def _items(lines: Sequence[OrderLine]) -> list[Item]:
    return [Item(line.product_id, line.product_name, line.quantity, line.price) for line in lines]


# None: an event that only the log's own readers care for.
ROUTES: dict[EventType, Callable[[LoggedEvent, Any], tuple[Struct, ...]] | None] = {
    EventType.CREATED: _created,
    EventType.STATUS_CHANGED: _status_changed,
    EventType.CANCELLED: _cancelled,
    EventType.COMPLETED: _completed,
    EventType.RELEASE_REQUESTED: _release_requested,
    EventType.RESERVE_REQUESTED: _reserve_requested,
    EventType.UPDATED: None,
    EventType.CONFIRMED: None,
    EventType.PAYMENT: None,
    EventType.STOCK_RELEASED: None,
    EventType.DELETED: None,
}
assert ROUTES.keys() == set(EventType), f"not routed: {set(EventType) ^ ROUTES.keys()}"
