"""The messages of the order log, for figures that are made anew from it."""

from collections.abc import Iterator
from typing import get_args
from uuid import UUID

import structlog

from orders_app import event_effects, event_log
from orders_app.analytics.facts import Told, VersionedMessage
from orders_app.event_data import Announced, StockOrMoneyChanged
from orders_app.event_log import LoggedEvent
from orders_app.event_messages import order_updated

SLICE_EVENTS = 2000
"""A slice is written in one transaction, for which the readers of the order log wait."""

_ANNOUNCED = {kind for kind, effect in event_effects.EFFECTS.items() if effect.kafka_data is Announced}
_TOLD = get_args(Told)
log = structlog.get_logger(__name__)


def log_slices() -> Iterator[list[VersionedMessage]]:
    """The messages of all events, archived ones too, some thousands of events at a time.

    Events that cannot be read are logged and left out, as the relay parks them.
    """
    order_id, version = UUID(int=0), 0
    while events := event_log.read_by_order(order_id, version, SLICE_EVENTS):
        yield [message for event in events for message in told_by(event)]
        order_id, version = events[-1].order_id, events[-1].version


def told_by(event: LoggedEvent) -> list[VersionedMessage]:
    """The messages of this event that figures are made from."""
    try:
        return [VersionedMessage(event.version, value) for value in _values(event)]
    except ValueError as error:  # a ValidationError of msgspec is one
        log.warning("an unreadable event is left out of the figures", event=event.event_id, error=str(error))
        return []


def _values(event: LoggedEvent) -> list[Told]:
    """The values; those of stock and money are here even where another message tells the same.

    Events of an older version did not say whether another one does.
    """
    if event.type in _ANNOUNCED:
        data = event_effects.decode(event.type, event.data)
        assert isinstance(data, StockOrMoneyChanged)
        return [order_updated(str(event.order_id), event, data)]
    return [value for value in event_effects.kafka_values(event) if isinstance(value, _TOLD)]
