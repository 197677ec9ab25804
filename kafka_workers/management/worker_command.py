"""The base class of the commands that run a worker of the table `kafka_workers.workers`."""

import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from foundation import heartbeat
from foundation.garbage_collection import tune_garbage_collector
from foundation.memory_allocation import allocate_from_one_arena
from foundation.tracing import begin_tracing
from kafka_workers.runtime.consuming import consumer_loop
from kafka_workers.workers import Consumer, Worker
from web.metrics_port import serve_metrics

Run = Callable[[threading.Event], None]


class WorkerCommand(BaseCommand):
    """Runs `worker` until SIGTERM or SIGINT, then exits with code 0, however early the signal comes."""

    worker: Worker
    requires_system_checks = ()

    @property
    def help(self) -> str:  # type: ignore[override]  # Django has a plain attribute
        """The text of `--help`."""
        return help_of(self.worker)

    def handle(self, **options: Any) -> None:
        """Run the worker."""
        allocate_from_one_arena()
        stop = _set_on_signal()
        # A worker that fails leaves its record, which then shows that it has ended.
        record = heartbeat.begin(self.worker.name)
        serve_metrics(record)
        begin_tracing(self.worker.name)
        run = load_run(self.worker)
        if settings.SCHEMA_REGISTRY_URL and self.worker.sends:
            # Imported here: the registry's client takes time and memory, which others need not spend.
            from kafka_workers.contract.registration import begin_registration  # noqa: PLC0415

            begin_registration(self.worker.sends, stop)
        tune_garbage_collector()
        if not stop.is_set():
            run(stop)
        record.end()


def load_run(worker: Worker) -> Run:
    """Import the function that runs the worker."""
    target = import_string(worker.runs.replace(":", "."))
    return partial(consumer_loop.run, target) if isinstance(worker, Consumer) else target


def help_of(worker: Worker) -> str:
    """What the worker does, reads and sends, and how it ends."""
    sentences = [worker.summary]
    if isinstance(worker, Consumer):
        sentences.append(f"Reads {', '.join(worker.reads)} (group {worker.group}).")
    if worker.sends:
        sentences.append(f"Sends {', '.join(worker.sends)}.")
    sentences.append(f"Waits while {_one_of(worker.needs)} is unavailable.")
    sentences.append("SIGTERM: finishes its batch, exit 0.")
    if isinstance(worker, Consumer):
        sentences.append("While its circuit breaker is open it stays in its group and handles nothing.")
    return " ".join(sentences)


def _one_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _set_on_signal() -> threading.Event:
    """An event that SIGTERM or SIGINT sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the signal may interrupt `stop.wait` while it holds the lock that `stop.set` needs.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    return stop
