"""The metric of how old the figures are."""

import structlog
from django.db import Error as DatabaseError

from foundation.metrics import ANALYTICS_LAG_SECONDS
from orders_app.analytics.progress import freshness

log = structlog.get_logger(__name__)


def update_analytics_lag() -> None:
    """Set the gauge from the database: a worker that is dead reports nothing, while the figures age."""
    try:
        found = freshness()
    except DatabaseError as error:
        log.warning("how old the figures of analytics are is unknown", error=str(error))
    else:
        if found:
            ANALYTICS_LAG_SECONDS.set(found.lag_seconds)
