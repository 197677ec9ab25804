"""Heartbeats: each process says again and again that it works, so that a silent one is noticed.

With PROMETHEUS_MULTIPROC_DIR set, a process keeps a record in that directory, which it locks as long as it
lives. A record without a lock is of a process that was killed or has failed; a process of the same worker
that starts afterwards takes the record over. A process that ends as it should removes its record. Times are
of the clock that all processes of the machine share and nobody can set.
"""

import fcntl
import math
import os
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from foundation.metrics import WORKER_HEARTBEAT

BEAT_SECONDS = 1.0
"""A beat sooner than this after the last one is not written."""

_SUFFIX = ".heartbeat"
_TIME = struct.Struct("d")
_LOCK_ATTEMPTS = 5
_LOCK_PAUSE_SECONDS = 0.004

State = Literal["working", "silent", "ended"]


class OpenBreaker(Struct, frozen=True):
    """A circuit breaker that is open: whose, why, since when, and when it tries again."""

    group: str
    reason: str
    since: datetime
    try_at: datetime


class _Record(Struct, frozen=True):
    worker: str
    pid: int
    breaker: OpenBreaker | None = None
    hindrances: tuple[str, ...] = ()
    is_warm: bool = False


class WorkerProcess(Struct, frozen=True):
    """A process as its record shows it; `silent_seconds` is the time since its last beat."""

    worker: str
    pid: int
    state: State
    silent_seconds: float
    breaker: OpenBreaker | None
    hindrances: tuple[str, ...]
    """A sentence for each thing that others do and that keeps this process from its work."""
    is_warm: bool
    """Whether its first work need not wait any more for what a process does once."""


class Heartbeat:
    """The heartbeat of one worker in one process; without a directory there is only its metric."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._last = -math.inf
        self._guard = threading.Lock()
        self._record = _Record(worker, os.getpid())
        self._file: int | None = None
        if directory := shared_directory():
            self._file, self._path = _take_record(directory, worker)
        self.beat()
        self._write()

    @property
    def worker(self) -> str:
        """The worker whose heartbeat this is."""
        return self._worker

    @property
    def silent_seconds(self) -> float:
        """How long ago the last beat was."""
        return time.monotonic() - self._last

    @property
    def is_warm(self) -> bool:
        """Whether the first work need not wait for anything that is done once."""
        return self._record.is_warm

    @property
    def breaker(self) -> OpenBreaker | None:
        """The open circuit breaker for which the process waits."""
        return self._record.breaker

    @property
    def hindrances(self) -> tuple[str, ...]:
        """A sentence for each thing that others do and that holds up a part of the work."""
        return self._record.hindrances

    def beat(self) -> None:
        """Say that the worker works; costs next to nothing, so that every turn of a loop may call it."""
        now = time.monotonic()
        if now - self._last < BEAT_SECONDS:
            return
        self._last = now
        WORKER_HEARTBEAT.labels(self._worker).set_to_current_time()
        with self._guard:
            if self._file is not None:
                os.pwrite(self._file, _TIME.pack(now), 0)

    def tell(self, breaker: OpenBreaker | None) -> None:
        """Note that this process waits for its open circuit breaker, or that it does not."""
        self._record = msgspec.structs.replace(self._record, breaker=breaker)
        self._write()

    def tell_hindrances(self, sentences: Sequence[str]) -> None:
        """Note what others do now that keeps this process from its work."""
        self._record = msgspec.structs.replace(self._record, hindrances=tuple(sentences))
        self._write()

    def tell_warm(self) -> None:
        """Note that the first work of this process need not wait for anything that is done once."""
        if not self._record.is_warm:
            self._record = msgspec.structs.replace(self._record, is_warm=True)
            self._write()

    def _write(self) -> None:
        text = msgspec.json.encode(self._record)
        with self._guard:
            if self._file is not None:
                os.pwrite(self._file, text, _TIME.size)
                os.ftruncate(self._file, _TIME.size + len(text))

    def end(self) -> None:
        """The worker ends as it should: nobody is to miss it."""
        with self._guard:
            if self._file is not None:
                with suppress(FileNotFoundError):
                    self._path.unlink()
                os.close(self._file)
                self._file = None

    def end_with_process(self) -> None:
        """For a daemon thread: the record goes when the process ends as it should."""
        # Unlike atexit, this also runs in a process that another Python process has forked or spawned.
        Finalize(None, self.end, exitpriority=1)


class _ThisProcess:
    heartbeat: Heartbeat | None = None


def begin(worker: str) -> Heartbeat:
    """Make this the heartbeat of the process, which `beat` and `tell` mean."""
    _ThisProcess.heartbeat = Heartbeat(worker)
    return _ThisProcess.heartbeat


def beat() -> None:
    """Say that the worker of this process works; does nothing in a process that runs none."""
    if _ThisProcess.heartbeat:
        _ThisProcess.heartbeat.beat()


def tell(breaker: OpenBreaker | None) -> None:
    """Note the circuit breaker of this process's worker; does nothing in a process that runs none."""
    if _ThisProcess.heartbeat:
        _ThisProcess.heartbeat.tell(breaker)


def tell_hindrances(sentences: Sequence[str]) -> None:
    """Note what keeps this process's worker from its work; does nothing in a process that runs none."""
    if _ThisProcess.heartbeat:
        _ThisProcess.heartbeat.tell_hindrances(sentences)


def tell_warm() -> None:
    """Note that this process's worker is warm; does nothing in a process that runs none."""
    if _ThisProcess.heartbeat:
        _ThisProcess.heartbeat.tell_warm()


def shared_directory() -> Path | None:
    """Where the processes of this machine keep their records; None where they share nothing."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(name) if name else None


def worker_processes(directory: Path, *, silent_after: float) -> list[WorkerProcess]:
    """Every process that has a record, by worker; silent ones have not beaten for `silent_after` seconds."""
    found = (_read(path, silent_after) for path in sorted(directory.glob(f"*{_SUFFIX}")))
    return [process for process in found if process]


def _take_record(directory: Path, worker: str) -> tuple[int, Path]:
    """Lock the record of an ended process of this worker, or a new one."""
    paths = (directory / f"{worker}-{number}{_SUFFIX}" for number in count(1))
    return next((file, path) for path in paths if (file := _open_locked(path)) is not None)


def _open_locked(path: Path) -> int | None:
    """The locked file; None while another process has it locked."""
    for _ in range(_LOCK_ATTEMPTS):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        # A reader holds a lock for a moment; a process that has ended meanwhile has removed the file.
        if _lock(file, fcntl.LOCK_EX) and _is_same(file, path):
            return file
        os.close(file)
        time.sleep(_LOCK_PAUSE_SECONDS)
    return None


def _lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _read(path: Path, silent_after: float) -> WorkerProcess | None:
    """The process of this record; None if it has just ended, or just begun."""
    try:
        with path.open("rb") as file:
            content = file.read()
            has_ended = _lock(file.fileno(), fcntl.LOCK_SH)
        record = msgspec.json.decode(content[_TIME.size :], type=_Record)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    seconds = max(0.0, time.monotonic() - _TIME.unpack_from(content)[0])
    state: State = "ended" if has_ended else "silent" if seconds > silent_after else "working"
    return WorkerProcess(
        record.worker, record.pid, state, round(seconds, 1), record.breaker, record.hindrances, record.is_warm
    )


def needing_attention(processes: Iterable[WorkerProcess], *, after: float) -> list[WorkerProcess]:
    """Those that are silent, or have ended and were not replaced within so many seconds."""
    return [each for each in processes if each.state != "working" and each.silent_seconds > after]
