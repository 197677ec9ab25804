"""The metrics of orders that wait: how many, for what, and for how long."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from foundation.metrics import (
    HOLDS_OVERDUE_SECONDS,
    ORDERS_OLDEST_IN_FLIGHT_SECONDS,
    ORDERS_WAITING,
    ORDERS_WAITING_OLDEST_SECONDS,
)
from orders_app.board_figures import Wait, count_waiting
from orders_app.selectors import orders_awaiting_payment


def update_orders_waiting() -> None:
    """Set the gauges from the database: workers that are dead report nothing, while orders wait.

    Raises database errors.
    """
    for each in count_waiting():
        age = _age(each.oldest)
        ORDERS_WAITING.labels(each.wait).set(each.count)
        ORDERS_WAITING_OLDEST_SECONDS.labels(each.wait).set(age)
        if each.wait == Wait.STOCK:
            ORDERS_OLDEST_IN_FLIGHT_SECONDS.set(age)


def update_holds_overdue() -> None:
    """Set the gauge from the database, so that it grows while no worker ends the holds.

    Raises database errors.
    """
    hold = timedelta(minutes=settings.HOLD_MINUTES)
    placed_at = orders_awaiting_payment(hold).order_by().aggregate(oldest=Min("created_at"))["oldest"]
    HOLDS_OVERDUE_SECONDS.set(_age(placed_at and placed_at + hold))


def _age(since: datetime | None) -> float:
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0
