"""All connections of one process, by address: how many there may be, and which has to go for a new one."""

import resource
from typing import Protocol

from web.server.limits import CONNECTIONS, FILES_KEPT_FREE


def most_connections() -> int:
    """How many connections this process may have; it is allowed as many open files as the machine permits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(1, min(CONNECTIONS, most - FILES_KEPT_FREE))


class Held(Protocol):
    """A connection, as it is counted."""

    address: str

    def give_way(self) -> None:
        """Close at once: another connection needs the place."""


class Connections:
    """Counts connections; of those that wait for their client it knows the order.

    A new connection above a limit takes the place of the one that has waited longest: so clients that send
    nothing, or nothing more, keep nobody out, not even those behind the same address.
    """

    def __init__(self, *, most: int, most_per_address: int) -> None:
        self.most, self.most_per_address = most, most_per_address
        self._count = 0
        # By address: its connections, and of these the ones that wait, in the order in which they began to.
        self._held: dict[str, set[Held]] = {}
        self._waiting: dict[str, dict[Held, None]] = {}

    def add(self, connection: Held) -> bool:
        """Count a new connection. False where there is no place for it."""
        held = self._held.setdefault(connection.address, set())
        if self.most_per_address and len(held) >= self.most_per_address:
            has_place = self._make_place(connection.address)
        elif self._count >= self.most:
            has_place = self._make_place(max(self._held, key=lambda address: len(self._held[address])))
        else:
            has_place = True
        held.add(connection)
        self._held[connection.address] = held
        self._count += 1
        self.wait(connection)
        return has_place

    def remove(self, connection: Held) -> None:
        """Forget a connection that is closed, or is about to be."""
        held = self._held.get(connection.address, set())
        if connection not in held:
            return
        held.remove(connection)
        self._count -= 1
        self.work(connection)
        if not held:
            del self._held[connection.address]
            self._waiting.pop(connection.address, None)

    def wait(self, connection: Held) -> None:
        """From now on the connection waits for its client."""
        waiting = self._waiting.setdefault(connection.address, {})
        waiting.pop(connection, None)
        waiting[connection] = None

    def work(self, connection: Held) -> None:
        """From now on the client waits for an answer, and the connection keeps its place."""
        self._waiting.get(connection.address, {}).pop(connection, None)

    def _make_place(self, address: str) -> bool:
        longest = next(iter(self._waiting.get(address, {})), None)
        if longest is None:
            return False
        self.remove(longest)
        longest.give_way()
        return True
