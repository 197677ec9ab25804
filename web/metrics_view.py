"""`/metrics`: the figures listed in foundation/metrics.py, in the Prometheus text format."""

import os
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from web.monitoring import may_monitor
from web.worker_health import update_worker_processes


def metrics_after(*updates: Callable[[], None]) -> Callable[[HttpRequest], HttpResponse]:
    """The view that calls `updates`, which set figures that no process reports, and shows all figures.

    It shows those of every process that shares PROMETHEUS_MULTIPROC_DIR, or of this one without it. A 403 for
    those who may not monitor.
    """

    @require_safe
    def metrics(request: HttpRequest) -> HttpResponse:
        if not may_monitor(request):
            raise PermissionDenied
        for update in updates:
            update()
        update_worker_processes()
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        registry = _of_all_processes(Path(directory)) if directory else REGISTRY
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return metrics


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
