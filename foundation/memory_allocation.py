"""Tunes the allocator of the C library for processes whose threads hand memory to each other."""

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8


def allocate_from_one_arena() -> None:
    """Let all threads allocate from one heap; call it before the process starts a second thread.

    What one thread allocates, a thread of the Kafka client frees. With a heap for each thread, the search for
    a free block takes half of the time that sending a message takes. Does nothing without glibc.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
