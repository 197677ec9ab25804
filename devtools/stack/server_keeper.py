"""Keeps a server running: when it has ended by itself, it is started again, and the log says so."""

import logging
import threading
import time

from devtools.stack.errors import StackError
from devtools.stack.restarts import RestartPause, describe_end
from devtools.stack.server import Server

_POLL_SECONDS = 0.2


class ServerKeeper:
    """Watches one server from start() to stop(); after its own stop() or kill() the server stays down."""

    def __init__(self, server: Server, log: logging.Logger) -> None:
        self.server = server
        self.restarts = 0
        self._log = log
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"keeper of {server.name}", daemon=True)

    def start(self) -> None:
        """Begins to watch, and returns immediately."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch and then the server."""
        self._stopping.set()
        self.server.stop()
        if self._thread.ident is not None:
            self._thread.join()
            self.server.stop()  # which the keeper may have started meanwhile

    def _keep(self) -> None:
        pause, since = RestartPause(), time.monotonic()
        while not self._stopping.wait(_POLL_SECONDS):
            if self.server.is_wanted and self.server.pid is None:
                self._start_again(pause.after(time.monotonic() - since))
                since = time.monotonic()

    def _start_again(self, pause: float) -> None:
        self._log.warning("%s; starting it again in %.1f s", describe_end(self.server.exit_code), pause)
        if self._stopping.wait(pause) or not self.server.is_wanted:
            return
        self.restarts += 1
        try:
            self.server.start()
        except (StackError, OSError) as error:
            if not self._stopping.is_set():
                self._log.warning("%s", error)
        else:
            self._log.info("runs again (pid %s)", self.server.pid)
