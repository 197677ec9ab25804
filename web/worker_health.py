"""Which workers of this machine are silent or have ended, from their heartbeats (foundation/heartbeat.py)."""

import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import get_args

import structlog
from django.conf import settings

from foundation.heartbeat import (
    BEAT_SECONDS,
    Heartbeat,
    State,
    WorkerProcess,
    needing_attention,
    shared_directory,
    worker_processes,
)
from foundation.metrics import WORKER_PROCESSES

log = structlog.get_logger(__name__)

_counted_workers: set[str] = set()


def seen_processes() -> list[WorkerProcess] | None:
    """The processes of this machine; None where they share no directory, so that nothing is known of them."""
    directory = shared_directory()
    return worker_processes(directory, silent_after=settings.SILENT_SECONDS) if directory else None


def complaints(processes: Sequence[WorkerProcess]) -> dict[tuple[str, int], str]:
    """A sentence for each process that does not work, by its worker and process id."""
    bad = needing_attention(processes, after=settings.SILENT_SECONDS)
    return {(each.worker, each.pid): _sentence(each) for each in bad}


def _sentence(process: WorkerProcess) -> str:
    if process.state == "ended":
        return f"process {process.pid} has failed or was killed, and no other has taken its place"
    return f"process {process.pid} runs, but has given no sign of work for {process.silent_seconds:.0f} s"


def update_worker_processes() -> None:
    """Set the metric that counts the processes of each worker."""
    processes = seen_processes() or ()
    counts = Counter((each.worker, each.state) for each in processes)
    _counted_workers.update(each.worker for each in processes)
    for worker in _counted_workers:
        for state in get_args(State):
            WORKER_PROCESSES.labels(worker, state).set(counts[worker, state])


def begin_to_watch(worker: str) -> Heartbeat:
    """Give this process the heartbeat of `worker`; it logs which others do not work.

    It is ready from `tell_ready` on.
    """
    heartbeat = _ThisProcess.heartbeat = Heartbeat(worker)
    heartbeat.end_with_process()
    threading.Thread(target=_watch, args=[heartbeat, worker], name="heartbeat", daemon=True).start()
    return heartbeat


def tell_ready() -> None:
    """Note that this process takes requests: it is warm and listens; nothing where it has no heartbeat."""
    if _ThisProcess.heartbeat:
        _ThisProcess.heartbeat.tell_warm()


class _ThisProcess:
    heartbeat: Heartbeat | None = None


def _watch(heartbeat: Heartbeat, worker: str) -> None:
    watch = Watch(worker)
    while True:
        heartbeat.beat()
        try:
            watch.look()
        except Exception:  # the heartbeat must go on
            log.exception("the heartbeats of the other processes cannot be read")
        time.sleep(BEAT_SECONDS)


class Watch:
    """Logs once that a process does not work, and once that it works again or is replaced.

    All processes of `worker` watch; the first of them that works says it.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._known: dict[tuple[str, int], str] = {}

    def look(self) -> None:
        """Compare with the last look."""
        processes = seen_processes() or []
        found = complaints(processes)
        if self._is_first(processes):
            for worker, pid in found.keys() - self._known.keys():
                log.error("worker does not work", worker=worker, reason=found[worker, pid])
            for worker, pid in self._known.keys() - found.keys():
                log.info("worker works again, or is replaced", worker=worker, process=pid)
        self._known = found

    def _is_first(self, processes: Sequence[WorkerProcess]) -> bool:
        working = (each.pid for each in processes if each.worker == self._worker and each.state == "working")
        return next(working, None) == os.getpid()
