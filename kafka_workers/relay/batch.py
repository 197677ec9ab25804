"""A batch of events with the messages that they cause, made before it is published."""

from collections.abc import Sequence

from msgspec import Struct

from kafka_workers.relay.order_messages import UnroutableEvent, messages_of
from kafka_workers.relay.parked_events import ParkReasons, Reason
from kafka_workers.runtime.messages.message import OutgoingMessage
from orders_app.event_log import LoggedEvent


class Batch(Struct, frozen=True):
    """Events, each of their messages with its event, and the reasons of those that give none."""

    events: Sequence[LoggedEvent]
    messages: Sequence[tuple[LoggedEvent, OutgoingMessage]]
    unroutable: ParkReasons


def make_batch(events: Sequence[LoggedEvent]) -> Batch:
    """The batch of these events, in their order."""
    messages: list[tuple[LoggedEvent, OutgoingMessage]] = []
    unroutable: dict[int, tuple[Reason, str]] = {}
    for event in events:
        try:
            messages += [(event, message) for message in messages_of(event)]
        except UnroutableEvent as error:
            unroutable[event.id] = Reason.UNROUTABLE, error.reason
    return Batch(events, messages, unroutable)
