"""What a client is sent over one connection: whole answers, parts and files, as fast as it reads them."""

import asyncio
import threading
from collections.abc import Callable

from web.server.file_body import FileBody
from web.server.limits import SLOWEST_READER_BYTES


class Sender:
    """Writes to the client of one connection. All of it runs on the event loop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # Whether the client reads slower than it is sent to.
        self.paused = False
        self._untaken: list[threading.Event] = []
        self._file: tuple[FileBody, Callable[[], None]] | None = None
        self._written = self._read_by_client = 0
        self._slow_since = 0.0
        self._gone = False

    def write(self, data: bytes) -> None:
        """Send these bytes, unless the connection is closed."""
        if not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def await_taken(self, taken: threading.Event) -> None:
        """Set `taken` when the client is ready for more: then a thread makes the next part of an answer."""
        self._untaken.append(taken)
        if not self.paused or self._gone:
            self._take()

    def send_file(self, file: FileBody, sent: Callable[[], None]) -> None:
        """Send a file in parts; `sent` is called after the last."""
        self._file = (file, sent)
        self._go_on_with_file()

    def _go_on_with_file(self) -> None:
        while self._file and not self.paused and not self._gone:
            file, sent = self._file
            if part := file.read():
                self.write(part)
            else:
                self._end_file()
                sent()

    def resume(self) -> None:
        """The client has caught up."""
        self.paused = False
        self._take()
        self._go_on_with_file()

    def end(self) -> None:
        """The connection is lost: let go of the file, and of the thread that makes parts."""
        self._gone = True
        self._end_file()
        self._take()

    def _end_file(self) -> None:
        if self._file:
            self._file[0].close()
            self._file = None

    def _take(self) -> None:
        for taken in self._untaken:
            taken.set()
        self._untaken.clear()

    def is_read_too_slowly(self, now: float, seconds: float) -> bool:
        """Whether, of what waits for it, the client has read less than SLOWEST_READER_BYTES in this time."""
        buffered = self._transport.get_write_buffer_size()
        read = self._written - buffered
        if not buffered or read >= self._read_by_client + SLOWEST_READER_BYTES:
            self._read_by_client, self._slow_since = read, now
        return now - self._slow_since > seconds
