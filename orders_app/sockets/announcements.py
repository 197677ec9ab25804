"""What sockets tell of an event of the orders' log: its message, ready to be sent."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from orders_app import event_log, log_data
from orders_app.event_log import LoggedEvent, Position
from orders_app.exceptions import BrokenHistory
from orders_app.log_data import EventType, OrderDocument

log = structlog.get_logger(__name__)


class Telling(NamedTuple):
    """How one kind of event is told: the message's type, and a sentence for people."""

    type: str
    sentence: str


TELLINGS: Mapping[EventType, Telling | None] = {
    EventType.CREATED: Telling("order:created", "Order {number} was placed."),
    EventType.UPDATED: Telling("order:updated", "Order {number} was updated."),
    EventType.CONFIRMED: Telling("order:confirmed", "The stock for order {number} is reserved."),
    EventType.STATUS_CHANGED: Telling("order:status_changed", "Order {number} is now {status}."),
    EventType.CANCELLED: Telling("order:cancelled", "Order {number} was cancelled. {why}"),
    EventType.COMPLETED: Telling("order:completed", "Order {number} was delivered."),
    EventType.PAYMENT: Telling("order:payment", "The payment of order {number} is {payment}."),
    EventType.STOCK_RELEASED: Telling("order:updated", "The stock of order {number} is on sale again."),
    EventType.RELEASE_REQUESTED: Telling("order:updated", "The stock of order {number} is being given back."),
    EventType.DELETED: None,
}


class Announcement(NamedTuple):
    """A message about the event at `position` of an order of this user; `text` is its JSON."""

    position: Position
    user_id: int
    text: str


class OrderMessage(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The message as it is sent; `order` is the order at this version."""

    type: str
    event_id: str
    order_id: UUID
    version: int
    timestamp: datetime
    message: str
    order: OrderDocument
    old_status: int | UnsetType = UNSET
    old_status_label: str | UnsetType = UNSET
    new_status: int | UnsetType = UNSET
    new_status_label: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


def announce(events: Sequence[LoggedEvent]) -> list[Announcement]:
    """The announcements of these events, in their order; what sockets do not tell has none.

    An event that does not fit its order's history is logged and left out, so that the others are heard.
    """
    tellings = [(event, telling) for event in events if (telling := TELLINGS[event.type])]
    histories = _histories({event.order_id for event, _ in tellings})
    return [
        Announcement(event.position, event.user_id, text)
        for event, telling in tellings
        if (text := _text(event, telling, histories[event.order_id]))
    ]


def _histories(order_ids: Collection[UUID]) -> Mapping[UUID, Sequence[LoggedEvent]]:
    histories = defaultdict[UUID, list[LoggedEvent]](list)
    for event in event_log.histories(list(order_ids)) if order_ids else ():
        histories[event.order_id].append(event)
    return histories


def _text(event: LoggedEvent, telling: Telling, history: Sequence[LoggedEvent]) -> str:
    try:
        order = event_log.rebuild(history[: event.version])
        return msgspec.json.encode(_message(event, telling, order)).decode()
    except (BrokenHistory, msgspec.ValidationError):
        log.exception("event cannot be told", event_id=event.event_id)
        return ""


def _message(event: LoggedEvent, telling: Telling, order: OrderDocument) -> OrderMessage:
    return OrderMessage(
        type=telling.type,
        event_id=event.event_id,
        order_id=event.order_id,
        version=event.version,
        timestamp=event.created_at,
        message=_sentence(telling, order),
        order=order,
        **_facts(log_data.decode(event.type, event.data)),
    )


def _sentence(telling: Telling, order: OrderDocument) -> str:
    return telling.sentence.format(
        number=order.order_number,
        status=order.status_label.lower(),
        payment=order.payment_status.label.lower(),
        why=order.cancel_reason.detail if order.cancel_reason else "",
    ).strip()


def _facts(data: log_data.EventData) -> dict[str, Any]:
    """What a message of this kind says besides."""
    match data:
        case log_data.StatusChanged():
            return {
                "old_status": data.old_status,
                "old_status_label": data.old_status.label,
                "new_status": data.new_status,
                "new_status_label": data.new_status.label,
            }
        case log_data.Cancelled():
            return {"reason": data.reason}
        case _:
            return {}
