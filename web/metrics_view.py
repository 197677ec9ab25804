"""`/metrics`: the metrics listed in foundation/metrics/."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from web.metrics_text import metrics_of_all_processes
from web.monitoring import may_monitor


def metrics_after(update: Callable[[], None]) -> Callable[[HttpRequest], HttpResponse]:
    """The view that calls `update`, which sets metrics that no process reports, and shows all metrics.

    It shows those of every process that shares PROMETHEUS_MULTIPROC_DIR, or of this one without it. A 403 for
    those who may not monitor.
    """

    @require_safe
    def metrics(request: HttpRequest) -> HttpResponse:
        if not may_monitor(request):
            raise PermissionDenied
        update()
        text = metrics_of_all_processes(request.headers.get("Accept", ""))
        return HttpResponse(text.body, content_type=text.content_type)

    return metrics
