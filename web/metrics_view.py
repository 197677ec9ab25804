"""`/metrics`: the figures listed in kafka_workers/metrics.py, in the Prometheus text format."""

import os
from pathlib import Path

import structlog
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseUnavailable
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from foundation.metrics import RELAY_OLDEST_UNREAD_SECONDS
from kafka_workers.relay.leadership import READER
from orders_app import event_log
from web.monitoring import may_monitor

log = structlog.get_logger(__name__)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures now, of every process that shares PROMETHEUS_MULTIPROC_DIR, or of this one without it.

    A 403 for those who may not monitor.
    """
    if not may_monitor(request):
        raise PermissionDenied
    _look_at_relay()
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    registry = _of_all_processes(Path(directory)) if directory else REGISTRY
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _look_at_relay() -> None:
    """Ask the log itself: a relay that is dead would say nothing, while events wait."""
    try:
        age = event_log.oldest_unread_age(event_log.stored_position(READER))
    except DatabaseUnavailable as error:
        log.warning("age of the oldest unread event is unknown", error=str(error))
    else:
        RELAY_OLDEST_UNREAD_SECONDS.set(age)


def _of_all_processes(directory: Path) -> CollectorRegistry:
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*.db")}:
        if not _is_alive(pid):
            mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(directory))  # type: ignore[no-untyped-call]
    return registry


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
