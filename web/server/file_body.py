"""A file as an answer: the event loop sends it, and no thread waits for the client."""

from typing import IO

PART_BYTES = 64 * 1024


class FileBody:
    """What WSGI calls `wsgi.file_wrapper`."""

    def __init__(self, file: IO[bytes], _block_size: int = PART_BYTES) -> None:
        self.file = file

    def __iter__(self) -> "FileBody":
        return self

    def __next__(self) -> bytes:
        if part := self.read():
            return part
        raise StopIteration

    def read(self) -> bytes:
        """The next part; empty at the end."""
        return self.file.read(PART_BYTES)

    def close(self) -> None:
        """Close the file, and with it Django's response."""
        self.file.close()
