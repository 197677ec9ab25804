"""The management command of a worker: all that it needs beside its entry in `kafka_workers.workers`."""

import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from foundation.garbage_collection import calm_garbage_collector
from kafka_workers.runtime.consuming import consumer_loop
from kafka_workers.runtime.exceptions import FloodOfDeadLetters
from kafka_workers.workers import Consumer, Worker

Run = Callable[[threading.Event], None]


class WorkerCommand(BaseCommand):
    """Runs `worker` until SIGTERM or SIGINT, then ends with exit code 0.

    Ends with exit code 1 when a flood of dead letters stops the worker.
    """

    worker: Worker
    requires_system_checks = ()

    @property
    def help(self) -> str:  # type: ignore[override]  # Django has a plain attribute
        """What the worker does, reads and sends, and how it ends."""
        return help_of(self.worker)

    def handle(self, **options: Any) -> None:
        """Run the worker."""
        calm_garbage_collector()
        run = load_run(self.worker)
        try:
            run(_event_of_signals())
        except FloodOfDeadLetters as error:
            raise CommandError(str(error)) from error


def load_run(worker: Worker) -> Run:
    """Import what the worker runs."""
    target = import_string(worker.runs.replace(":", "."))
    return partial(consumer_loop.run, target) if isinstance(worker, Consumer) else target


def help_of(worker: Worker) -> str:
    """The text of `--help`."""
    sentences = [worker.summary]
    if isinstance(worker, Consumer):
        sentences.append(f"Reads {', '.join(worker.reads)} (group {worker.group}).")
    if worker.sends:
        sentences.append(f"Sends {', '.join(worker.sends)}.")
    sentences.append(f"Waits while {' or '.join(worker.needs)} is unavailable.")
    sentences.append("SIGTERM: finishes its batch, exit 0.")
    if isinstance(worker, Consumer):
        sentences.append("Exit 1, with the reason, when a flood of dead letters stops it.")
    return " ".join(sentences)


def _event_of_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the handler may interrupt `stop.wait` while that holds the lock that `set` wants.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    return stop
