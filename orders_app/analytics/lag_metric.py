"""The metric of how old the figures are."""

from foundation.metrics import ANALYTICS_LAG_SECONDS
from orders_app.analytics.progress import freshness


def update_analytics_lag() -> None:
    """Set the gauge from the database: a worker that is dead reports nothing, while the figures age.

    Raises database errors.
    """
    if found := freshness():
        ANALYTICS_LAG_SECONDS.set(found.lag_seconds)
