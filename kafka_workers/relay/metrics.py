"""The metrics of what the relay has not published, which the order log says."""

from foundation.metrics import RELAY_OLDEST_UNREAD_SECONDS, RELAY_PARKED_EVENTS, RELAY_UNREAD_EVENTS
from kafka_workers.models import ParkedEvent
from orders_app import event_log
from orders_app.event_log import RELAY_READER

COUNTED = 100_000
"""Unread events are counted up to this number."""


def update_unread_events() -> None:
    """Set the gauges, from the log itself: a relay that is dead reports nothing, while events wait.

    Raises database errors.
    """
    position = event_log.stored_position(RELAY_READER)
    RELAY_OLDEST_UNREAD_SECONDS.set(event_log.oldest_unread_age(position))
    RELAY_UNREAD_EVENTS.set(event_log.count_unread(position, COUNTED))
    RELAY_PARKED_EVENTS.set(ParkedEvent.objects.count())
