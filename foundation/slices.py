"""Cutting a long sequence into slices that are handled one after the other."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def slices(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in their order, `size` at a time; the last slice may have fewer."""
    remaining = iter(items)
    while part := list(islice(remaining, size)):
        yield part
