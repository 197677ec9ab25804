#!/usr/bin/env python
"""Django's command line. While ./start runs, its settings are found by themselves (see config/env.py)."""

import os
import signal
import sys

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# A worker that is asked to stop ends with 0, also while it is still loading: nothing has begun. A signal that
# comes before it is known whether this is a worker waits until then.
signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
from kafka_workers.workers import WORKERS  # noqa: E402

IS_WORKER = any(sys.argv[1:2] == [worker.command] for worker in WORKERS)
if IS_WORKER:
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: os._exit(0))
signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

from foundation.garbage_collection import pause_garbage_collector  # noqa: E402

if IS_WORKER:
    pause_garbage_collector()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import execute_from_command_line  # noqa: E402

from foundation.ecs_line import name_process  # noqa: E402
from foundation.logging import log_uncaught_errors, say_last_words  # noqa: E402


def main() -> None:
    """Run one management command; a setting that cannot be used ends it with one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    name_process(next((worker.name for worker in WORKERS if sys.argv[1:2] == [worker.command]), "manage.py"))
    if IS_WORKER:
        log_uncaught_errors()
    if not IS_WORKER or "--once" in sys.argv:
        keep_own_metrics()
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except ImproperlyConfigured as error:
        say_last_words(str(error))
        sys.exit(1)
    except BrokenPipeError:
        if IS_WORKER:
            raise
        # The reader of the output has ended, as `| head` does; Python writes what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def keep_own_metrics() -> None:
    """Leave no files in PROMETHEUS_MULTIPROC_DIR: those of a command that has ended would add up."""
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    # It looks for the variable when it is imported, and the settings set the variable later.
    import prometheus_client  # noqa: F401, PLC0415


if __name__ == "__main__":
    main()
