"""The parts through which an order passes: what one unit of each carries, and how many units there can be."""

from enum import StrEnum
from typing import NamedTuple

from devtools.benchmarks.headline import BACKLOG, SETTLED
from devtools.benchmarks.published import Key, Published
from devtools.benchmarks.scaling.model import Range, carried_by_core, value

_BUSY = "1 item, 64 clients: CPU an order"
MESSAGES_OF_AN_ORDER = 3
"""Of an order paid on delivery, up to Processing: order.created, inventory.reserve, order.status.changed."""
ANALYTICS_MESSAGES = 4
"""Of an order that is delivered; so many had each order of the cited measurement."""
COPIES = 3
"""Assumed: each broker stores each message, at the cost of the one broker that was measured."""


class Kind(StrEnum):
    """How there are more units of a part."""

    SETTING = "setting"
    CODE = "code"
    MACHINE = "machine"


class Alone(NamedTuple):
    """What one unit carried with nothing else running: a published figure, or one of a decision."""

    words: str
    key: Key | None = None
    messages: float = 1
    cited: float = 0.0

    def carried(self, published: Published) -> float:
        """Orders a second."""
        return (value(published, self.key) if self.key else self.cited) / self.messages


class Part(NamedTuple):
    """A part: the CPU that an order takes in it beside all others, and how its units multiply.

    `most` is how many units can work; None: as many as wanted.
    """

    words: str
    busy: Key | None
    alone: Alone | None
    most: int | None
    kind: Kind
    more_by: str
    copies: int = 1

    def carried(self, published: Published) -> Range:
        """Orders a second of one unit: least and most of what both measurements give."""
        found = [self.alone.carried(published)] if self.alone else []
        if self.busy:
            found.append(carried_by_core(self.copies * value(published, self.busy)))
        return Range(min(found), max(found))

    def limit(self, published: Published) -> float | None:
        """Orders a second of all units that can work, by the lesser figure; None: no limit of this part."""
        return self.most * self.carried(published).least if self.most else None


def _busy(figure: str) -> Key:
    return Key("orders", _BUSY, figure)


PARTITIONS = 3
"""The default of KAFKA_PARTITIONS: so many consumers of a group have work."""
CORES_OF_A_SERVER = 32
"""Assumed: a large machine for one database."""

WEB = Part("web process", _busy("web"), None, None, Kind.SETTING, "processes and hosts behind nginx")
RELAY = Part(
    "relay, the leader",
    _busy("outbox relay"),
    Alone("row `relay`", BACKLOG, MESSAGES_OF_AN_ORDER),
    1,
    Kind.CODE,
    "the order log in shards",
)
INVENTORY = Part(
    "inventory consumer",
    _busy("inventory consumer"),
    Alone("row `settle`", SETTLED),
    PARTITIONS,
    Kind.SETTING,
    "partitions and processes; they meet at products",
)
ORDER = Part(
    "order consumer",
    _busy("order consumer"),
    Alone("32 answers in 6.8 ms (ADR 25)", cited=32 / 0.0068),
    PARTITIONS,
    Kind.SETTING,
    "partitions and processes",
)
ANALYTICS = Part(
    "analytics consumer",
    None,
    Alone("12,500 messages/s (ADR 34)", None, ANALYTICS_MESSAGES, 12_500),
    PARTITIONS,
    Kind.SETTING,
    "partitions and processes",
)
POSTGRESQL = Part(
    "core of PostgreSQL's primary",
    _busy("PostgreSQL"),
    Alone("119 + 111 µs in sessions alone (ADR 25)", cited=1e6 / (119 + 111)),
    CORES_OF_A_SERVER,
    Kind.MACHINE,
    "more cores; then orders in shards, which is code",
)
MONGODB = Part(
    "core of MongoDB's primary",
    _busy("MongoDB"),
    Alone("14 µs a request in full batches", cited=1e6 / 14),
    CORES_OF_A_SERVER,
    Kind.MACHINE,
    "more cores; then products in shards, which is code",
)
KAFKA = Part(
    "core of the brokers, three copies",
    _busy("Kafka"),
    None,
    None,
    Kind.SETTING,
    "brokers, and partitions on them",
    COPIES,
)
PARTS = (WEB, RELAY, INVENTORY, ORDER, ANALYTICS, POSTGRESQL, MONGODB, KAFKA)
RATES = (1_000, 10_000, 100_000)
"""Orders a second for which the document says what limits first."""
