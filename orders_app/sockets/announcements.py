"""What sockets tell of an event of the orders' log: its message, ready to be sent."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from orders_app import event_data, event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent, Position
from orders_app.exceptions import BrokenHistory

log = structlog.get_logger(__name__)


class Telling(NamedTuple):
    """How one kind of event is told: the message's type, and a sentence for people."""

    type: str
    sentence: str


TELLINGS: Mapping[EventType, Telling] = {
    EventType.CREATED: Telling("order:created", "Order {number} was placed."),
    EventType.UPDATED: Telling("order:updated", "Order {number} was updated."),
    EventType.CONFIRMED: Telling("order:confirmed", "The stock for order {number} is reserved."),
    EventType.STATUS_CHANGED: Telling("order:status_changed", "Order {number} is now {status}."),
    EventType.CANCELLED: Telling("order:cancelled", "Order {number} was cancelled. {why}"),
    EventType.COMPLETED: Telling("order:completed", "Order {number} was delivered."),
    EventType.PAYMENT: Telling("order:payment", "The payment of order {number} is {payment}."),
    EventType.STOCK_RELEASED: Telling("order:updated", "The stock of order {number} is on sale again."),
    EventType.RELEASE_REQUESTED: Telling("order:updated", "The stock of order {number} is being given back."),
    EventType.RESERVE_REQUESTED: Telling("order:updated", "The stock for order {number} is asked for again."),
}
SILENT = frozenset({EventType.DELETED})


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


def announce(events: Iterable[LoggedEvent]) -> list[Announcement]:
    """The announcements of these events, in their order; what sockets do not tell has none.

    An event that does not fit its order's history is logged and left out, so that the others are heard.
    """
    told = [event for event in events if event.type not in SILENT]
    orders = _orders_at(told) if told else {}
    for event in told:
        if event.position not in orders:
            log.error("event cannot be told: its order's history is broken", event_id=event.event_id)
    return [
        Announcement(event.position, event.user_id, _text(event, order))
        for event in told
        if (order := orders.get(event.position))
    ]


def _orders_at(events: Iterable[LoggedEvent]) -> dict[Position, OrderDocument]:
    """The orders of these events, as they were after each event of theirs."""
    histories = event_log.histories(list({event.order_id for event in events}))
    orders: dict[Position, OrderDocument] = {}
    for _, history in groupby(histories, attrgetter("order_id")):
        orders |= _order_at(history)
    return orders


def _order_at(history: Iterable[LoggedEvent]) -> dict[Position, OrderDocument]:
    """An order after each event of its history, as far as they follow each other."""
    order: OrderDocument | None = None
    versions: dict[Position, OrderDocument] = {}
    for event in history:
        try:
            order = event_log.fold(order, event)
        except (BrokenHistory, msgspec.ValidationError):
            break
        versions[event.position] = order
    return versions


def _text(event: LoggedEvent, order: OrderDocument) -> str:
    return msgspec.json.encode(_message(event, order)).decode()


def _message(event: LoggedEvent, order: OrderDocument) -> OrderMessage:
    telling = TELLINGS[event.type]
    return OrderMessage(
        type=telling.type,
        event_id=event.event_id,
        order_id=event.order_id,
        version=event.version,
        timestamp=event.created_at,
        message=_sentence(telling, order),
        order=order,
        **_facts(event_data.decode(event.type, event.data)),
    )


def _sentence(telling: Telling, order: OrderDocument) -> str:
    return telling.sentence.format(
        number=order.order_number,
        status=order.status_label.lower(),
        payment=order.payment_status.label.lower(),
        why=order.cancel_reason.detail if order.cancel_reason else "",
    ).strip()


def _facts(data: event_data.EventData) -> dict[str, Any]:
    """What a message of this kind says besides."""
    match data:
        case event_data.StatusChanged():
            return {
                "old_status": data.old_status,
                "old_status_label": data.old_status.label,
                "new_status": data.new_status,
                "new_status_label": data.new_status.label,
            }
        case event_data.Cancelled():
            return {"reason": data.reason}
        case _:
            return {}
