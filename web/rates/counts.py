"""Whether a request is within the rate of its caller: decided in memory, in a few microseconds.

`sharing.py` tells the database what was counted, and brings back what other machines have.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from uuid import UUID

from msgspec import Struct

from foundation.heartbeat import shared_directory
from foundation.rates import Rate
from web.rates.table import CountTable
from web.rates.window import Window

FILE = "request-counts"
MAX_TOLD = 1_000
"""Keys of which the database is told in one statement."""
URGENT = 8
"""The database is told at once when one eighth of what is left of a rate was used since it was told."""


class Untold(Struct, frozen=True):
    """What the database is told of one key; its window turns in `left` seconds."""

    place: int
    number: int
    seconds: int
    left: float


class Told(Struct, frozen=True):
    """What the database tells of one key: what all machines have counted."""

    id: UUID
    current: int
    previous: int
    left: float


class RequestCounts:
    """Counts requests by key. A key belongs to one period. All methods may be called by any thread."""

    def __init__(self, table: CountTable, clock: Callable[[], float] = time.monotonic) -> None:
        self.table = table
        # Set when other machines should know soon.
        self.urgent = threading.Event()
        self._clock = clock
        self._lock = threading.Lock()
        self._touched: set[int] = set()

    def admit(self, key: str, rate: Rate) -> float:
        """Count a request: 0 if it is let in, else the seconds after which one will be.

        A refused request is not counted.
        """
        now, table = self._clock(), self.table
        with self._lock:
            place = table.find(key, rate.seconds, now)
            window = table.read(place, now)
            if wait := window.wait(rate, now):
                return wait
            table.add(place, 1)
            self._touched.add(place)
        if table.untold(place) * URGENT >= rate.limit - window.level(now):
            self.urgent.set()
        return 0.0

    def take_back(self, key: str, rate: Rate) -> None:
        """Uncount a request that was counted just now."""
        with self._lock:
            place = self.table.find(key, rate.seconds, self._clock())
            self.table.add(place, -1)
            self._touched.add(place)

    def take_untold(self) -> dict[UUID, Untold]:
        """What the database is to be told now: of at most MAX_TOLD keys."""
        now = self._clock()
        with self._lock:
            places = [self._touched.pop() for _ in range(min(MAX_TOLD, len(self._touched)))]
            windows = {place: self.table.read(place, now) for place in places}
            return {
                self.table.id_at(place): Untold(place, number, window.seconds, window.turns_at - now)
                for place, window in windows.items()
                if (number := self._take(place))
            }

    def put_back(self, untold: Mapping[UUID, Untold]) -> None:
        """The database could not be told."""
        with self._lock:
            for key_id, each in untold.items():
                if self.table.id_at(each.place) == key_id:  # else another key has got the place meanwhile
                    self.table.tell(each.place, -each.number)
                    self._touched.add(each.place)

    def learn(self, untold: Mapping[UUID, Untold], told: Iterable[Told]) -> None:
        """The database was told, and has told what all machines have counted."""
        for each in told:
            place = untold[each.id].place
            with self._lock:  # for one at a time, because requests wait for it
                if self.table.id_at(place) == each.id:
                    self._learn(place, each)

    def _take(self, place: int) -> int:
        number = self.table.untold(place)
        self.table.tell(place, number)
        return number

    def _learn(self, place: int, told: Told) -> None:
        now = self._clock()
        untold, seconds = self.table.untold(place), self.table.read(place, now).seconds
        self.table.write(place, Window(seconds, now + told.left, told.current + untold, told.previous))


@cache
def request_counts() -> RequestCounts:
    """What this process counts together with the web processes that share its PROMETHEUS_MULTIPROC_DIR."""
    directory = shared_directory()
    return RequestCounts(CountTable(directory and directory / FILE))
