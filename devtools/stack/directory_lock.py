import fcntl
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from devtools.stack.errors import StackError
from devtools.stack.private_files import make_private_folder

# An environment variable of every child process, by which the next start finds children of a killed one.
_LOCK_VARIABLE = "STACK_LOCK"
_LEFTOVER_SECONDS = 20.0
# What the stack keeps in its directory.
ENTRIES = (
    "lock",
    "env",
    "state",
    "logs",
    "metrics",
    "temporary",
    "kafka",
    "mongodb",
    "postgres",
    "payments",
    "mail",
)


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Locks the directory, so that one ./start at a time uses it.

    First ends the processes that a killed ./start has left running on the directory. Raises StackError when
    another ./start runs on it, or when it cannot be written to.
    """
    make_private_folder(directory, own=ENTRIES)
    try:
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise StackError(
            f"cannot write to {directory} ({error.strerror}): set STACK_DIR to another folder"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"another ./start is running on {directory}: stop it, or set STACK_DIR"
            ) from None
        _end_leftovers(lock.name)
        os.environ[_LOCK_VARIABLE] = lock.name
        yield


def _end_leftovers(lock: str) -> None:
    leftovers = [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(_LOCK_VARIABLE) == lock
    ]
    if leftovers:
        print(f"waiting for {len(leftovers)} processes of an earlier ./start to end …", flush=True)
    # Most end by themselves, because their supervisor has ended; children of a killed web server do not.
    _signal(leftovers, signal.SIGCONT, signal.SIGTERM)
    _, alive = psutil.wait_procs(leftovers, timeout=_LEFTOVER_SECONDS)
    _signal(alive, signal.SIGKILL)
    psutil.wait_procs(alive)


def _signal(processes: Iterable[psutil.Process], *numbers: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for number in numbers:
                process.send_signal(number)
