"""The Kafka messages of an event of the order log: its values (`orders_app.event_effects`) as CloudEvents."""

from kafka_workers.contract.own_messages import own_message
from kafka_workers.runtime.messages.message import OutgoingMessage
from orders_app import event_effects
from orders_app.event_log import LoggedEvent
from orders_app.messages import OrderMessage


class UnroutableEvent(Exception):
    """An event that gives no messages: its data is not of its type, or has an amount that cannot be."""

    def __init__(self, event: LoggedEvent, reason: str) -> None:
        super().__init__(f"event {event.order_id}:{event.version} ({event.type}): {reason}")
        self.event = event
        self.reason = reason


def messages_of(event: LoggedEvent) -> list[OutgoingMessage]:
    """The messages that an event causes, in the order in which they are to be sent; may be none.

    The same event always gives the same messages, ids included. Raises UnroutableEvent.
    """
    try:
        values = event_effects.kafka_values(event)
    except ValueError as error:  # a ValidationError of msgspec is one
        raise UnroutableEvent(event, str(error)) from error
    return [_message(event, value) for value in values]


def _message(event: LoggedEvent, value: OrderMessage) -> OutgoingMessage:
    return own_message(
        value,
        value.order_id,
        of=f"{value.order_id}:{event.version}",
        time=event.created_at,
        sequence=event.version,
        trace_parent=event.trace_parent,
    )
