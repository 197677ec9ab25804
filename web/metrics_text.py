"""The text in which metrics are shown to Prometheus: its own format, or OpenMetrics, which has exemplars."""

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead


class MetricsText(Struct, frozen=True):
    """Metrics in a format, and the name of the format."""

    body: bytes
    content_type: str


ShowMetrics = Callable[[str], MetricsText]
"""Takes the value of a request's header `Accept`."""


def metrics_of_this_process(accept: str) -> MetricsText:
    """The metrics of this process alone, in the format that this header `Accept` asks for."""
    return _in_format(accept, REGISTRY)


def metrics_of_all_processes(accept: str) -> MetricsText:
    """The metrics of every process that shares PROMETHEUS_MULTIPROC_DIR; without it, of this one."""
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return _in_format(accept, _of_all_processes(Path(directory)) if directory else REGISTRY)


def _in_format(accept: str, registry: CollectorRegistry) -> MetricsText:
    encode, content_type = choose_encoder(accept)
    return MetricsText(encode(registry), content_type)


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
