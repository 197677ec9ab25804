"""What a running stack tells other shells about itself: a small JSON file in its directory."""

import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from devtools.stack.errors import StackError
from devtools.stack.private_files import write_private

_ZOMBIES = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


@dataclass(frozen=True)
class PartState:
    """A server or process of the stack; without a pid it does not run."""

    name: str
    pid: int | None
    restarts: int


@dataclass(frozen=True)
class StackState:
    """The whole stack; `pid` is that of its supervisor, `waits_for` says what its start still waits for."""

    pid: int
    ready: bool
    web: str
    waits_for: list[str]
    parts: list[PartState]


class StateFile:
    """The file `state` in the directory of a stack."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "state"
        self._written = ""
        self._writing = threading.Lock()

    def write(self, *, ready: bool, web: str, waits_for: Sequence[str], parts: Sequence[PartState]) -> None:
        """Replaces the file if anything has changed. Several threads may write."""
        state = StackState(os.getpid(), ready, web, list(waits_for), list(parts))
        text = json.dumps(asdict(state))
        with self._writing:
            if text != self._written:
                write_private(self._path, text)
                self._written = text

    def read(self) -> StackState | None:
        """What the running stack has written; None if none runs on the directory.

        Raises StackError if this user may not read it.
        """
        try:
            found = json.loads(self._path.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            raise StackError(f"{self._path.parent} belongs to another user, who alone may ask") from None
        parts = [PartState(**part) for part in found.pop("parts")]
        state = StackState(parts=parts, **found)
        return state if self._is_supervisor(state.pid) else None

    def remove(self) -> None:
        """Deletes the file: the stack has stopped."""
        self._path.unlink(missing_ok=True)

    def _is_supervisor(self, pid: int) -> bool:
        """A process that was started after the file was written only has the same pid."""
        try:
            return _living(pid).create_time() <= self._path.stat().st_mtime
        except psutil.NoSuchProcess:
            return False


def is_frozen(pid: int) -> bool:
    """Whether a signal has stopped the process, as SIGSTOP does."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def frozen_processes(pid: int) -> list[int]:
    """The process and its descendants that a signal has stopped."""
    try:
        process = psutil.Process(pid)
        return [each.pid for each in (process, *process.children(recursive=True)) if is_frozen(each.pid)]
    except psutil.NoSuchProcess:
        return []


def seconds_since_start(pid: int) -> float:
    """How long the process has run. Raises psutil.NoSuchProcess, also for one that has ended as a zombie."""
    return time.time() - _living(pid).create_time()


def _living(pid: int) -> psutil.Process:
    process = psutil.Process(pid)
    if process.status() in _ZOMBIES:
        raise psutil.ZombieProcess(pid)
    return process
