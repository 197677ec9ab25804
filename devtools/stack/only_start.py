import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from devtools.stack.errors import StackError

# In the environment of every child, so that the next start finds those of one that was killed.
_MARK = "STACK_LOCK"
_GOODBYE_SECONDS = 20.0


@contextmanager
def only_start(directory: Path) -> Iterator[None]:
    """Holds the directory for this process alone, once what a killed predecessor left running has ended.

    Raises StackError when another one runs on the directory, or it cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
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
        os.environ[_MARK] = lock.name
        yield


def _end_leftovers(mark: str) -> None:
    leftovers = [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(_MARK) == mark
    ]
    _, lasting = psutil.wait_procs(leftovers, timeout=_GOODBYE_SECONDS)
    for process in lasting:
        process.kill()
    psutil.wait_procs(lasting)
