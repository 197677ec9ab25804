"""What the commands that run a worker have in common."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foundation.garbage_collection import calm_garbage_collector


class WorkerStopped(Exception):
    """A worker had to stop by itself; the text says why and what to do."""


class WorkerCommand(BaseCommand):
    """Works until SIGTERM or SIGINT, then ends with exit code 0; 1 where the worker had to stop by itself."""

    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        """Run the worker."""
        calm_garbage_collector()
        try:
            self.work(_event_of_signals())
        except WorkerStopped as error:
            raise CommandError(str(error)) from error

    def work(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        raise NotImplementedError


def _event_of_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the handler may interrupt `stop.wait` while that holds the lock that `set` wants.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    return stop
