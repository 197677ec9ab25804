"""What people outside were told during one run: the promises that the laws are held against."""

import threading
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Placed:
    """An order answered with 201."""

    order_id: str
    key: str
    user_id: str
    payment_method: int
    lines: dict[str, int]


@dataclass
class Connection:
    """What one connection of one socket heard, in its order: (order id, version)."""

    user_id: str
    heard: list[tuple[str, int]] = field(default_factory=list)


class Journal:
    """Written by many threads: each entry is one call of a list or dictionary."""

    def __init__(self, run: str, products: dict[str, int]) -> None:
        self.run = run
        self.received = products
        self.placed: dict[str, Placed] = {}
        self.cancelled: set[str] = set()
        self.delivered: set[str] = set()
        # What a service holds by HTTP: (order id, product id) -> quantity.
        self.held_apart: dict[tuple[str, str], int] = {}
        self.invalid_keys: set[str] = set()
        self.connections: list[Connection] = []
        self.complaints: list[str] = []
        self.repeats = 0
        self._lock = threading.Lock()

    def count_repeat(self) -> None:
        """A request went out again because nobody knows what became of the last one."""
        with self._lock:
            self.repeats += 1

    def is_ours(self, key: str) -> bool:
        """Whether an order id, ours or a neighbour's, belongs to this run."""
        return key in self.placed or key.startswith(self.run)
