"""What an order leaves behind, in bytes: as docs/capacity.md says that it was measured."""

from typing import NamedTuple

DAY = 86_400
"""Seconds."""
GIGABYTE = 1e9


class Volume(NamedTuple):
    """Bytes of an order somewhere; `sentence` is how docs/capacity.md gives them."""

    words: str
    order: int
    sentence: str

    def gigabytes_a_day(self, rate: float) -> float:
        """At so many orders a second, all day."""
        return self.order * rate * DAY / GIGABYTE


VOLUMES = (
    Volume("rows and indexes of PostgreSQL", 2_460 + 1_300, "| together | 2,460 | 1,300 |"),
    Volume("of these, indexes that must stay in memory", 176, "these two indexes have to fit: 176 bytes"),
    Volume("WAL of PostgreSQL", 6_200, "PostgreSQL writes 6.2 KB of WAL for an order"),
    Volume("topics, one copy", 2_900, "Kafka's topics take 2.9 KB an order"),
    Volume("ledger of MongoDB, on the disk with its index", 90 + 80, "90 of them on the disk"),
)
