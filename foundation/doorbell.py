"""A bell between processes of one host: who has written something rings, and who reads it wakes at once.

Nothing depends on it. Readers look by themselves too, and that is how they learn of what was written on
another host, by another user of this one, or by a process that died before it rang.
"""

import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog

log = structlog.get_logger(__name__)


class Doorbell:
    """Named by what is written. Each listener is a datagram socket in a directory of the user's own."""

    def __init__(self, name: str) -> None:
        self._directory = Path(tempfile.gettempdir(), f"stockbridge-{os.getuid()}", name)

    def ring(self) -> None:
        """Wake all who listen; never waits, never fails."""
        with suppress(OSError), os.scandir(self._directory) as listeners:
            for listener in listeners:
                _wake(listener.path)

    def listen(self) -> "BellListener":
        """Begin to listen; what rings from now on is heard. Where that cannot be, it stays silent."""
        return BellListener(self._directory)


class BellListener:
    """One who waits for the bell; a context manager."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / uuid4().hex[:12]
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            directory.parent.mkdir(mode=0o700, exist_ok=True)
            directory.mkdir(exist_ok=True)
            self._socket.bind(str(self._path))
        except OSError as error:
            log.warning("no doorbell: what is written is found by looking", error=str(error))

    def wait(self, seconds: float) -> None:
        """Until the bell rings, or rang since the last time, as long as that; more than 0."""
        self._socket.settimeout(seconds)
        with suppress(TimeoutError):
            self._socket.recv(1)
            self._socket.setblocking(False)
            self._take_rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        with suppress(OSError):
            self._path.unlink()

    def _take_rest(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(1)


def _wake(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        try:
            bell.sendto(b"!", path)
        except ConnectionRefusedError:
            # Its listener died without a word.
            Path(path).unlink(missing_ok=True)
        except OSError:
            # Gone, or full of rings that nobody has taken yet: it wakes anyway.
            return
