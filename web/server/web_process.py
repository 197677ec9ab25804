"""What all connections of one web process share."""

import asyncio
import signal
import sys
from importlib import import_module
from time import monotonic
from typing import Protocol
from wsgiref.types import WSGIApplication

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from uvicorn.config import STARTUP_FAILURE

from foundation.ecs_line import name_process
from foundation.garbage_collection import pause_garbage_collector, tune_garbage_collector
from web.server.connections import Connections, Held, most_connections
from web.server.exchanges import Exchanges
from web.server.limits import CHECK_SECONDS, Limits
from web.server.watchdog import Watchdog
from web.server.work_threads import WorkThreads
from web.worker_health import tell_ready

# uvicorn ends its processes by the signal that they got, which would leave undone what is to be done at their
# end. This module is loaded before uvicorn notes which handler was set.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Watched(Held, Protocol):
    """A connection, as the process watches it."""

    def check(self, now: float) -> None:
        """Close if the client has taken too long; `now` is the time of the monotonic clock."""


class WebProcess:
    """The application with its threads, and the connections, whose time it watches."""

    def __init__(self, application: WSGIApplication, limits: Limits) -> None:
        self.limits = limits
        self.threads = WorkThreads(application, limits.threads)
        self.exchanges = Exchanges(application)
        self.counted = Connections(most=most_connections(), most_per_address=limits.connections_per_address)
        self.open: set[Watched] = set()
        self.body_bytes = 0
        self._watched = False

    def add(self, connection: Watched, loop: asyncio.AbstractEventLoop) -> bool:
        """Take in a new connection. False where there is no place for it."""
        self.open.add(connection)
        if not self._watched:
            self._watched = True
            Watchdog(self.threads, self.exchanges, loop, self.limits.stuck_seconds).start()
            loop.call_later(CHECK_SECONDS, self._check, loop)
        return self.counted.add(connection)

    def remove(self, connection: Watched) -> None:
        """Forget a connection that is closed."""
        self.open.discard(connection)
        self.counted.remove(connection)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        now = monotonic()
        for connection in list(self.open):
            connection.check(now)
        loop.call_later(CHECK_SECONDS, self._check, loop)


def load_process(path: str) -> WebProcess:
    """The web process of the application at `package.module:name`, with the limits of its Django settings.

    A wrong setting ends the process, and with it the server: it would be as wrong at the next start.
    """
    pause_garbage_collector()
    name_process("web")
    module, _, name = path.partition(":")
    try:
        application: WSGIApplication = getattr(import_module(module), name)
        tune_garbage_collector()
        return WebProcess(application, Limits(**settings.WEB_LIMITS))
    except ImproperlyConfigured as error:
        print(f"web: {error}", file=sys.stderr)  # noqa: T201 - there may be no log yet
        sys.exit(STARTUP_FAILURE)


async def tell_listening() -> None:
    """Say that this process is ready; uvicorn calls it when the process listens, and every half minute."""
    tell_ready()
