"""How old the oldest event is that the relay has not published yet."""

import structlog
from django.db import Error as DatabaseUnavailable

from foundation.metrics import RELAY_OLDEST_UNREAD_SECONDS
from orders_app import event_log
from orders_app.event_log import RELAY_READER

log = structlog.get_logger(__name__)


def update_unread_age() -> None:
    """Set the gauge, from the log itself: a relay that is dead reports nothing, while events wait."""
    try:
        age = event_log.oldest_unread_age(event_log.stored_position(RELAY_READER))
    except DatabaseUnavailable as error:
        log.warning("age of the oldest unread event is unknown", error=str(error))
    else:
        RELAY_OLDEST_UNREAD_SECONDS.set(age)
