"""The metric of the oldest order that waits for its stock."""

import structlog
from django.db import Error as DatabaseError
from django.utils import timezone

from foundation.metrics import ORDERS_OLDEST_IN_FLIGHT_SECONDS
from orders_app.board_figures import Wait, count_waiting

log = structlog.get_logger(__name__)


def update_oldest_in_flight() -> None:
    """Set the gauge from the database: workers that are dead report nothing, while orders wait."""
    try:
        [waiting] = count_waiting([Wait.STOCK])
    except DatabaseError as error:
        log.warning("how long orders wait for their stock is unknown", error=str(error))
    else:
        age = (timezone.now() - waiting.oldest).total_seconds() if waiting.oldest else 0
        ORDERS_OLDEST_IN_FLIGHT_SECONDS.set(age)
