"""Moving the events of old orders out of the order log, a partition at a time."""

import time
from datetime import timedelta

from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import DeadlockDetected, LockNotAvailable

from foundation.kill_points import kill_point
from orders_app.event_log import archive
from orders_app.event_log.archive import LastEvent, Partition, PartitionChanged
from orders_app.models import Order
from orders_app.state_machine import FINAL

QUIET = timedelta(days=1)
"""How long nothing has happened to any order of a partition that is archived."""
ATTEMPTS = 10
PAUSE_SECONDS = 1.0
"""Between two attempts, for the orders that waited meanwhile."""


class NotArchivable(Exception):
    """The partition has to stay in the log; the text says why."""


class LogInUse(Exception):
    """The locks that moving a partition takes were never free."""


def check_partition(*, partition: Partition) -> LastEvent | None:
    """The last event of a partition that can be archived. Raises NotArchivable.

    No order of it can change any more, but for late answers about its stock and for being deleted: those
    events go to the default partition.
    """
    last = archive.last_event(partition)
    if last:
        _require_finished(last)
    unfinished = Order.objects.filter(id__gte=partition.lower, id__lt=partition.upper).exclude(
        status__in=FINAL
    )
    if number := unfinished.count():
        first = unfinished.order_by("id").values_list("id", flat=True)[0]
        raise NotArchivable(f"{number} of its orders are not final, the first one is {first}")
    return last


def archive_partition(*, partition: Partition) -> None:
    """Check this partition and move it to the archive.

    Safe to run again after an interruption at any line. Raises NotArchivable, and LogInUse after ATTEMPTS.
    """
    last = check_partition(partition=partition)
    archive.validate_bound(partition)
    kill_point("before-archiving")
    for attempt in range(ATTEMPTS):
        try:
            archive.move_to_archive(partition, last)
        except PartitionChanged as error:
            raise NotArchivable("something happened to its orders just now") from error
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
            time.sleep(PAUSE_SECONDS if attempt + 1 < ATTEMPTS else 0)
        else:
            return
    raise LogInUse


def _require_finished(last: LastEvent) -> None:
    if last.created_at > timezone.now() - QUIET:
        raise NotArchivable(
            f"its last event happened at {last.created_at:%Y-%m-%d %H:%M:%S} UTC, less than a day ago"
        )
    if behind := archive.readers_behind(last.position):
        raise NotArchivable(f"not all of its events have been read by {', '.join(behind)}")
