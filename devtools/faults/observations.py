"""What clients observed during one run: the answers and messages against which the laws judge the system."""

import threading
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class PlacedOrder:
    """An order answered with 201."""

    order_id: str
    key: str
    user_id: str
    payment_method: int
    lines: dict[str, int]
    payment_token: str = ""


@dataclass
class Connection:
    """What one connection of one socket received, in order: (order id, version)."""

    user_id: str
    received: list[tuple[str, int]] = field(default_factory=list)


class Observations:
    """Written by many threads: each entry is one call of a list or dictionary, so it needs no lock."""

    def __init__(self, run: str, products: dict[str, int]) -> None:
        self.run = run
        self.received = products
        self.placed: dict[str, PlacedOrder] = {}
        self.cancelled: set[str] = set()
        self.delivered: set[str] = set()
        # The orders that a customer has given a token for, when they were placed or later.
        self.paid_for: set[str] = set()
        # The customers who want all mail; the others get what is about money alone.
        self.wants_mail: set[str] = set()
        # How many email workers were killed, or cut off from what they record in.
        self.mail_kills = 0
        # What the service reserved over HTTP: (order id, product id) -> quantity.
        self.held_by_services: dict[tuple[str, str], int] = {}
        self.invalid_keys: set[str] = set()
        # How often each product of the stock keeper fell below its lowStockAt.
        self.falls: dict[str, int] = {}
        self.connections: list[Connection] = []
        self.unexpected: list[str] = []
        self.repeats = 0
        self._lock = threading.Lock()

    def count_repeat(self) -> None:
        """Counts a request that was repeated because the last one got no answer."""
        with self._lock:
            self.repeats += 1

    def belongs_to_run(self, key: str) -> bool:
        """Whether the id of an order, or of a product of the stock keeper, belongs to this run."""
        return key in self.placed or key in self.falls or key.startswith(self.run)
