"""What an event of the order log carries and causes: one table with an entry for every type of event."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import ImproperlyConfigured
from msgspec import Struct

from orders_app.event_data import (
    Announced,
    Cancelled,
    Changed,
    Completed,
    Created,
    EventData,
    EventType,
    PaymentRequested,
    Placed,
    RefundRequested,
    ReleaseRequested,
    ReserveRequested,
    StatusChanged,
    StockOrMoneyChanged,
    Updated,
)
from orders_app.event_log import LoggedEvent
from orders_app.event_messages import (
    inventory_release,
    inventory_release_if_needed,
    inventory_reserve,
    order_cancelled,
    order_completed,
    order_created,
    order_status_changed,
    order_updated_if_announced,
    payment_refund_requested,
    payment_requested,
)
from orders_app.messages import OrderMessage
from orders_app.upcasting import upcast

Read = TypeVar("Read")
BuildValue = Callable[[str, LoggedEvent, Any], OrderMessage | None]
"""Builds the value of a message from the order's id, the event and its data."""


class SocketText(Struct, frozen=True):
    """The type of a socket message, and its sentence for people.

    `fields` are those of the event data that the message has besides those of every message. The sentence may
    use {number}, {status} and {reason} of the order as it is after the event, or be {payment}, a sentence of
    its own for each payment status.
    """

    type: str
    sentence: str
    fields: tuple[str, ...] = ()


class Effect(Struct, frozen=True, kw_only=True):
    """The data that an event carries, and the Kafka messages (in their order) and socket message it causes.

    A Kafka message that depends on the data may be None and is then not sent. `kafka_data` is the part of the
    data from which the Kafka messages are built, where that is not all of it.
    """

    data: type[EventData]
    kafka_data: type[Placed | Announced] | None = None
    kafka: tuple[BuildValue, ...]
    socket: SocketText | None


EFFECTS: Mapping[EventType, Effect] = {
    EventType.CREATED: Effect(
        data=Created,
        kafka_data=Placed,
        kafka=(order_created, inventory_reserve),
        socket=SocketText("order:created", "Order {number} was placed."),
    ),
    EventType.UPDATED: Effect(
        data=Updated,
        kafka=(),
        socket=SocketText("order:updated", "Order {number} was updated."),
    ),
    EventType.CONFIRMED: Effect(
        data=StockOrMoneyChanged,
        kafka_data=Announced,
        kafka=(order_updated_if_announced,),
        socket=SocketText("order:confirmed", "The stock for order {number} is reserved."),
    ),
    EventType.STATUS_CHANGED: Effect(
        data=StatusChanged,
        kafka=(order_status_changed,),
        socket=SocketText(
            "order:status_changed",
            "Order {number} is now {status}.",
            fields=("old_status", "old_status_label", "new_status", "new_status_label"),
        ),
    ),
    EventType.CANCELLED: Effect(
        data=Cancelled,
        kafka=(order_cancelled, inventory_release_if_needed),
        socket=SocketText("order:cancelled", "Order {number} was cancelled. {reason}", fields=("reason",)),
    ),
    EventType.COMPLETED: Effect(
        data=Completed,
        kafka=(order_completed,),
        socket=SocketText("order:completed", "Order {number} was delivered."),
    ),
    EventType.PAYMENT: Effect(
        data=StockOrMoneyChanged,
        kafka_data=Announced,
        kafka=(order_updated_if_announced,),
        socket=SocketText("order:payment", "{payment}"),
    ),
    # Without a socket message: an order tells that its stock is confirmed, and next how its payment ended.
    EventType.PAYMENT_REQUESTED: Effect(data=PaymentRequested, kafka=(payment_requested,), socket=None),
    EventType.REFUND_REQUESTED: Effect(
        data=RefundRequested,
        kafka=(payment_refund_requested,),
        socket=SocketText("order:updated", "Money for order {number} is on its way back."),
    ),
    EventType.REFUNDED: Effect(
        data=StockOrMoneyChanged,
        kafka_data=Announced,
        kafka=(order_updated_if_announced,),
        socket=SocketText("order:payment", "Money paid for order {number} went back."),
    ),
    EventType.REFUND_FAILED: Effect(
        data=StockOrMoneyChanged,
        kafka_data=Announced,
        kafka=(order_updated_if_announced,),
        socket=SocketText("order:updated", "Money for order {number} could not be given back yet."),
    ),
    EventType.STOCK_RELEASED: Effect(
        data=Changed,
        kafka=(),
        socket=SocketText("order:updated", "The stock of order {number} is on sale again."),
    ),
    EventType.RELEASE_REQUESTED: Effect(
        data=ReleaseRequested,
        kafka=(inventory_release,),
        socket=SocketText("order:updated", "The stock of order {number} is being given back."),
    ),
    EventType.RESERVE_REQUESTED: Effect(
        data=ReserveRequested,
        kafka=(inventory_reserve,),
        socket=SocketText("order:updated", "The stock for order {number} is asked for again."),
    ),
    EventType.DELETED: Effect(data=Changed, kafka=(), socket=None),
}
if missing := [event_type.name for event_type in EventType if event_type not in EFFECTS]:
    raise ImproperlyConfigured(f"EFFECTS has no entry for {', '.join(missing)}")


def effect_of(event_type: EventType) -> Effect:
    """The effect of events of this type.

    Raises msgspec.ValidationError for a type that only a newer version knows.
    """
    if (effect := EFFECTS.get(event_type)) is None:
        raise msgspec.ValidationError(f"no event has the type {event_type!r}")
    return effect


_DECODERS = {event_type: msgspec.json.Decoder(effect.data) for event_type, effect in EFFECTS.items()}
_KAFKA_DECODERS = {
    event_type: msgspec.json.Decoder(effect.kafka_data or effect.data)
    for event_type, effect in EFFECTS.items()
}


def decode(event_type: EventType, data: bytes) -> EventData:
    """The data of one event, typed, from whichever shape it has.

    Raises msgspec.ValidationError where it is not of its type, or of a shape that only a newer version knows.
    """
    effect_of(event_type)
    return _read(_DECODERS[event_type], event_type, data)


def kafka_values(event: LoggedEvent) -> list[OrderMessage]:
    """The values of the Kafka messages that an event causes, in the order in which they are to be sent.

    Raises msgspec.ValidationError as `decode` does.
    """
    builders = effect_of(event.type).kafka
    if not builders:
        return []
    data = _read(_KAFKA_DECODERS[event.type], event.type, event.data)
    order_id = str(event.order_id)
    return [value for build in builders if (value := build(order_id, event, data)) is not None]


def _read(decoder: msgspec.json.Decoder[Read], event_type: EventType, data: bytes) -> Read:
    # Most data has the shape of today: only what cannot be read as such is looked at twice.
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        older = upcast(event_type, data)
        if older is None:
            raise
        return decoder.decode(older)
