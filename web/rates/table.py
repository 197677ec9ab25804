"""Windows in memory that all web processes of a machine share.

Each process writes without asking the others, so that none ever waits: a process that loses the processor in
the moment between reading and writing a count writes over what others count of this key meanwhile.

The table has a fixed size. A key has a few places where it can be; if all are taken, it gets that of the
window that turns first, which is forgotten.
Which places a key has is a secret of the installation: else a caller could choose addresses that take them.
"""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from web.rates.window import CLOCKS_DIFFER, Window

PLACES = 65_536
PLACES_OF_A_KEY = 8
KEYS_REMEMBERED = 10_000

# A place has eight words of eight bytes, one of them unused; the time is a float, the others are integers.
WORDS = 8
HIGH, LOW, SECONDS, TURNS_AT, CURRENT, PREVIOUS, UNTOLD = range(WORDS - 1)
BYTES = PLACES * WORDS * 8


class CountTable:
    """The table in a file, or in memory of this process alone where there is none."""

    def __init__(self, path: Path | None) -> None:
        """Open the table. Raises ImproperlyConfigured where `path` cannot be a file of ours."""
        self._file = None if path is None else _open(path)
        memory = mmap.mmap(-1 if self._file is None else self._file, BYTES)
        self._numbers = memoryview(memory).cast("q")
        self._times = memoryview(memory).cast("d")

    @contextmanager
    def telling(self) -> Iterator[None]:
        """One process of the machine at a time tells the database."""
        if self._file is None:
            yield
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def find(self, key: str, seconds: int, now: float) -> int:
        """The place of this key, which gets one if it has none."""
        high, low = _words_of(key)
        numbers, oldest = self._numbers, -1
        for step in range(PLACES_OF_A_KEY):
            place = (low + step) % PLACES * WORDS
            if numbers[place + LOW] == low and numbers[place + HIGH] == high:
                return place
            if oldest < 0 or self._turns_at(place, now) < self._turns_at(oldest, now):
                oldest = place
            if not numbers[place + SECONDS]:
                break
        self._put(oldest, high, low, Window(seconds, now + seconds))
        return oldest

    def _turns_at(self, place: int, now: float) -> float:
        """When the window at this place turns; one of before the machine was started has long turned."""
        turns_at, seconds = self._times[place + TURNS_AT], self._numbers[place + SECONDS]
        return turns_at if turns_at < now + seconds + CLOCKS_DIFFER else 0.0

    def read(self, place: int, now: float) -> Window:
        """The window at this place."""
        numbers = self._numbers
        kept = Window(
            numbers[place + SECONDS],
            self._times[place + TURNS_AT],
            numbers[place + CURRENT],
            numbers[place + PREVIOUS],
        )
        window = kept.at(now)
        if window is not kept:
            self.write(place, window)
            # What is older does not count any more; it piles up while the database is away.
            numbers[place + UNTOLD] = min(numbers[place + UNTOLD], window.previous)
        return window

    def write(self, place: int, window: Window) -> None:
        """Replace the window at this place."""
        numbers = self._numbers
        self._times[place + TURNS_AT] = window.turns_at
        numbers[place + CURRENT], numbers[place + PREVIOUS] = window.current, window.previous

    def add(self, place: int, number: int) -> None:
        """Count so many requests, of which the database is not told yet."""
        self._numbers[place + CURRENT] += number
        self._numbers[place + UNTOLD] += number

    def untold(self, place: int) -> int:
        """How many requests the database has not been told of."""
        return self._numbers[place + UNTOLD]

    def tell(self, place: int, number: int) -> None:
        """The database is being told of so many."""
        self._numbers[place + UNTOLD] -= number

    def id_at(self, place: int) -> UUID:
        """The identity of the key at this place, by which the database knows it."""
        words = self._numbers[place + HIGH], self._numbers[place + LOW]
        return UUID(bytes=b"".join(word.to_bytes(8, "big", signed=True) for word in words))

    def _put(self, place: int, high: int, low: int, window: Window) -> None:
        numbers = self._numbers
        self.write(place, window)
        numbers[place + UNTOLD], numbers[place + SECONDS] = 0, window.seconds
        numbers[place + HIGH], numbers[place + LOW] = high, low


@lru_cache(KEYS_REMEMBERED)
def _words_of(key: str) -> tuple[int, int]:
    digest = id_of(key).bytes
    return int.from_bytes(digest[:8], "big", signed=True), int.from_bytes(digest[8:], "big", signed=True)


def id_of(key: str) -> UUID:
    """A digest of the key and SECRET_KEY, by which table and database know it."""
    secret = sha256(settings.SECRET_KEY.encode()).digest()
    return UUID(bytes=blake2b(key.encode(), digest_size=16, key=secret).digest())


def _open(path: Path) -> int:
    """The file, of its full size: a full disk is found now, not by a request."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        os.posix_fallocate(file, 0, BYTES)
    except OSError as error:
        raise ImproperlyConfigured(f"Requests cannot be counted in {path}: {error.strerror}.") from error
    return file
