"""A supervised process: when it ends by itself, it is started again, and the log says so."""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path
from typing import IO

from devtools.stack.console import Console, close_log, open_log
from devtools.stack.processes import Process
from devtools.stack.restarts import RestartPause, describe_end
from devtools.stack.spawn import signal_tree, spawn

_STOP_SECONDS = 15.0
_DRAIN_SECONDS = 2.0
_CHUNK_BYTES = 1_048_576
"""A pipe is made as large as this, so that a process that logs much does not wait for its reader."""
_CHUNK_SECONDS = 0.05


class SupervisedProcess:
    """One process, kept running from start() to stop(); `env` is its whole environment."""

    def __init__(
        self, process: Process, *, env: Mapping[str, str], logs: Path, console: Console | None = None
    ) -> None:
        self.name = process.name
        self.restarts = 0
        self.log_path = logs / f"{process.name}.log"
        self._command = process.command
        self._env = env
        self._log = open_log(self.log_path, console)
        self._stopping = threading.Event()
        self._launching = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._supervisor: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process while it runs, else None."""
        running = self._running
        return running.pid if running is not None and running.poll() is None else None

    def start(self, extra_env: Mapping[str, str] | None = None) -> None:
        """Launches the process and returns immediately; `extra_env` is for this launch only."""
        self._stopping.clear()
        self._supervisor = threading.Thread(target=self._supervise, args=(extra_env or {},), daemon=True)
        self._supervisor.start()

    def stop(self) -> None:
        """Sends SIGTERM; after 15 seconds SIGKILL, which the log says."""
        if self._supervisor is None:
            return
        with self._launching:
            self._stopping.set()
        self.resume()
        self._terminate()
        self._supervisor.join(_STOP_SECONDS)
        if self._supervisor.is_alive():
            self._log.warning("did not end in %.1f s: killed", _STOP_SECONDS)
            self.kill()
            self._supervisor.join()

    def kill(self) -> None:
        """Sends SIGKILL to the process and its children; the supervisor starts it again."""
        self._signal_tree(signal.SIGKILL)

    def kill_for_good(self) -> None:
        """Sends SIGKILL to the process and its children; it stays down until start()."""
        with self._launching:
            self._stopping.set()
        self.kill()
        if self._supervisor is not None:
            self._supervisor.join()

    def pause(self) -> None:
        """Freezes the process and its children with SIGSTOP."""
        self._signal_tree(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets the process continue after pause()."""
        self._signal_tree(signal.SIGCONT)

    def _supervise(self, extra_env: Mapping[str, str]) -> None:
        pause = RestartPause()
        while (running := self._launch(extra_env)) is not None:
            launched = time.monotonic()
            self._watch(running)
            if self._stopping.is_set():
                break
            seconds = pause.after(time.monotonic() - launched)
            self._log.warning("%s; starting it again in %.1f s", describe_end(running.returncode), seconds)
            self._stopping.wait(seconds)
            self.restarts += 1
            extra_env = {}
        close_log(self._log)

    def _launch(self, extra_env: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        with self._launching:
            if self._stopping.is_set():
                return None
            self._running = spawn(self._command, output=subprocess.PIPE, env={**self._env, **extra_env})
            return self._running

    def _watch(self, running: subprocess.Popen[bytes]) -> None:
        """Logs its output until it ends, and then ends the children that it leaves behind."""
        assert running.stdout is not None
        reader = threading.Thread(target=_copy_to_log, args=(running.stdout, self._log), daemon=True)
        reader.start()
        running.wait()
        # Otherwise the worker processes of a web server outlive it and keep its port.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        reader.join(_DRAIN_SECONDS)

    def _terminate(self) -> None:
        if self._running is not None:
            self._running.terminate()

    def _signal_tree(self, number: signal.Signals) -> None:
        if self.pid is not None:
            signal_tree(self.pid, number)


def _copy_to_log(lines: IO[bytes], log: logging.Logger) -> None:
    """Logs the lines of each read as one record: a record for each line would cost a busy system much CPU."""
    rest = b""
    with lines:
        with suppress(OSError):  # The kernel limits what one user's pipes have together.
            fcntl(lines, F_SETPIPE_SZ, _CHUNK_BYTES)
        while chunk := os.read(lines.fileno(), _CHUNK_BYTES):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            if newline:
                log.info("%s", whole.decode(errors="replace"))
            time.sleep(_CHUNK_SECONDS)
        if rest:
            log.info("%s", rest.decode(errors="replace"))
