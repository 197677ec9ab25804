"""The worker that cancels orders which were not paid in time, and keeps house in between.

Any number of processes may run it.
"""

import threading
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from foundation import metrics
from foundation.heartbeat import beat, tell_warm
from foundation.outage import DependencyUnavailable, take_turns
from foundation.work_report import tell_work
from orders_app.event_log import Origin
from orders_app.housekeeping import Housekeeping
from orders_app.selectors import orders_awaiting_payment
from orders_app.services.expire_holds import expire_holds

BATCH_ORDERS = 200
POLL_SECONDS = 1.0
EXPIRY_ORIGIN = Origin("service:expiry")

log = structlog.get_logger(__name__)


def run(stop: threading.Event) -> None:
    """Expire holds when they fall due, until `stop` is set. Waits while PostgreSQL is unavailable."""
    housekeeping = Housekeeping()

    def take_turn() -> float:
        beat()
        expire_due(stop)
        housekeeping.do_due(stop)
        tell_warm()
        tell_work()
        return POLL_SECONDS

    take_turns(stop, take_turn)


def expire_due(stop: threading.Event) -> int:
    """Cancel every order that is due, batch by batch; returns their number. Raises DependencyUnavailable.

    An order that cannot be cancelled is logged, and the others are cancelled all the same.
    """
    close_old_connections()
    try:
        return _expire_batches(stop)
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error


def _expire_batches(stop: threading.Event) -> int:
    due = orders_awaiting_payment(timedelta(minutes=settings.HOLD_MINUTES)).values_list("pk", flat=True)
    expired, not_cancelled = 0, set[UUID]()
    while not stop.is_set() and (order_ids := list(due.exclude(pk__in=not_cancelled)[:BATCH_ORDERS])):
        beat()
        cancelled = _expire(order_ids)
        expired += len(cancelled)
        not_cancelled.update(set(order_ids) - cancelled)
    return expired


def _expire(order_ids: Sequence[UUID]) -> set[UUID]:
    """Cancel a batch in one transaction, or one by one if an order fails; returns the cancelled orders."""
    try:
        cancelled = expire_holds(order_ids=order_ids, origin=EXPIRY_ORIGIN)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(order_ids) > 1:
            return set[UUID]().union(*(_expire([order_id]) for order_id in order_ids))
        log.exception("order with an expired hold cannot be cancelled", order_id=str(order_ids[0]))
        return set()
    if cancelled:
        metrics.HOLDS_EXPIRED.inc(len(cancelled))
        log.info("holds expired", orders=len(cancelled))
    return cancelled
