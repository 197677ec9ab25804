"""The socket messages about events of the order log, ready to be sent."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from orders_app import event_effects, event_log
from orders_app.document import OrderDocument
from orders_app.event_effects import SocketText
from orders_app.event_log import LoggedEvent, Position
from orders_app.exceptions import BrokenHistory
from orders_app.fold import fold_event
from orders_app.sockets.recent_orders import RecentOrders
from orders_app.state_machine import PaymentStatus

log = structlog.get_logger(__name__)

RESYNC = '{"type":"resync"}'
"""What a client is sent in place of a message that cannot be made: it loads its orders again."""

PAYMENT_SENTENCES: Mapping[PaymentStatus, str] = {
    PaymentStatus.PENDING: "The payment of order {number} is pending.",
    PaymentStatus.PAID: "Order {number} is paid.",
    PaymentStatus.FAILED: "The payment of order {number} failed. {failure}",
    PaymentStatus.REFUNDED: "The payment of order {number} went back.",
}


class SocketMessage(NamedTuple):
    """The message about the event at `position` of an order of this user; `text` is its JSON."""

    position: Position
    user_id: int
    text: str
    trace_parent: str


class OrderMessage(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The JSON of a socket message; `order` is the order at this version."""

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


def socket_messages(events: Iterable[LoggedEvent], recent: RecentOrders) -> list[SocketMessage]:
    """The socket messages about these events, in their order; some types of events have none.

    The histories of orders that are not among the recent ones are read. In place of the message about an
    event that does not fit the history of its order, or whose type only a newer version of the code knows,
    the client is told to load its orders again.
    """
    texts = [(event, text) for event in events if (text := _text_of(event))]
    orders = _orders_after([event for event, text in texts if text != RESYNC], recent)
    return [
        SocketMessage(
            event.position,
            event.user_id,
            _encoded(event, text, orders.get(event.position)),
            event.trace_parent,
        )
        for event, text in texts
    ]


def _text_of(event: LoggedEvent) -> SocketText | str | None:
    """What the message says; RESYNC for an event of an unknown type, None where there is no message."""
    try:
        return event_effects.effect_of(event.type).socket
    except msgspec.ValidationError as error:
        log.warning("event has no socket message", event_id=event.event_id, reason=str(error))
        return RESYNC


def _encoded(event: LoggedEvent, text: SocketText | str, order: OrderDocument | None) -> str:
    if isinstance(text, str):
        return text
    if order is None:
        log.error("event has no socket message: its order's history is broken", event_id=event.event_id)
        return RESYNC
    return encode_message(event, text, order)


def encode_message(event: LoggedEvent, text: SocketText, order: OrderDocument) -> str:
    """The JSON of the socket message about an event; `order` is the order after it."""
    data = event_effects.decode(event.type, event.data)
    fields: dict[str, Any] = {name: getattr(data, name) for name in text.fields}
    message = OrderMessage(
        type=text.type,
        event_id=event.event_id,
        order_id=event.order_id,
        version=event.version,
        timestamp=event.created_at,
        message=_sentence(text, order),
        order=order,
        **fields,
    )
    return msgspec.json.encode(message).decode()


def _sentence(text: SocketText, order: OrderDocument) -> str:
    return text.sentence.format(
        number=order.order_number,
        status=order.status_label.lower(),
        payment=_payment_sentence(order),
        reason=order.cancel_reason.detail if order.cancel_reason else "",
    ).strip()


def _payment_sentence(order: OrderDocument) -> str:
    return PAYMENT_SENTENCES[order.payment_status].format(
        number=order.order_number, failure=order.payment_failure.detail if order.payment_failure else ""
    )


def _orders_after(events: Iterable[LoggedEvent], recent: RecentOrders) -> dict[Position, OrderDocument]:
    """The orders of these events, after each of them."""
    orders: dict[Position, OrderDocument] = {}
    others: list[LoggedEvent] = []
    for event in events:
        if order := recent.after(event):
            orders[event.position] = order
        else:
            others.append(event)
    read = _read_orders(others) if others else {}
    for event in others:
        if order := read.get(event.position):
            orders[event.position] = order
            recent.keep(order)
    return orders


def _read_orders(events: Iterable[LoggedEvent]) -> dict[Position, OrderDocument]:
    """The orders of these events, after each event of their histories."""
    histories = event_log.histories(list({event.order_id for event in events}))
    orders: dict[Position, OrderDocument] = {}
    for _, history in groupby(histories, attrgetter("order_id")):
        orders |= _versions(history)
    return orders


def _versions(history: Iterable[LoggedEvent]) -> dict[Position, OrderDocument]:
    """An order after each event of its history, up to the first event that does not fit."""
    order: OrderDocument | None = None
    versions: dict[Position, OrderDocument] = {}
    for event in history:
        try:
            order = fold_event(order, event)
        except (BrokenHistory, msgspec.ValidationError):
            break
        versions[event.position] = order
    return versions
